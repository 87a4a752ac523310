// The peer under Node: `ws` as its manual shows it, without compression. `node node_ws.mjs PORT`; POST /broadcast sends its body
// to all. The package comes from the folder that JIKI_NODE_MODULES names.

import { createRequire } from 'node:module'
import http from 'node:http'
import path from 'node:path'

const { WebSocketServer, WebSocket } = createRequire(path.join(process.env.JIKI_NODE_MODULES, 'x.js'))('ws')
const server = http.createServer((request, response) => {
  const parts = []
  request.on('data', part => parts.push(part))
  request.on('end', () => {
    if (request.method === 'POST') {
      const body = Buffer.concat(parts)
      for (const client of sockets.clients) if (client.readyState === WebSocket.OPEN) client.send(body, { binary: false })
    }
    response.end('ok')
  })
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 65536 })
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 2048 })
