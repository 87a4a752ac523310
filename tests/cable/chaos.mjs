// Many extended clients whose lines break at random: `node chaos.mjs CABLE_URL HTTP_URL CLIENTS STREAMS CUTS_PER_SECOND`.
//
// Prints "ready" when all have entered room/<100 + client % STREAMS>. When standard input ends, stops cutting; when then nothing
// came for a while, prints what each client got as JSON: [{stream, got: […], lost: times}].

import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [cableUrl, httpUrl, clients, streams, cutsPerSecond] = process.argv.slice(2).map((one, n) => (n < 2 ? one : Number(one)))
const modules = process.env.JIKI_NODE_MODULES
const WebSocket = createRequire(path.join(modules, 'x.js'))('ws')
const { createCable } = await import(pathToFileURL(path.join(modules, '@anycable/core/index.js')).href)

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
let lastAt = Date.now()

async function enter(client) {
  const token = await (await fetch(`${httpUrl}/token/${client}`)).text()
  const cable = createCable(cableUrl, {
    protocol: 'actioncable-v1-ext-json',
    auth: { token },
    websocketImplementation: WebSocket,
    reconnectStrategy: () => 100 + Math.random() * 400,
    logLevel: 'silent'
  })
  const seen = { stream: client % streams, got: [], lost: 0, restored: 0, closed: 0 }
  const subscribe = () => {
    const room = cable.subscribeTo('RoomChannel', { id: 100 + (client % streams) })
    room.on('message', message => {
      lastAt = Date.now()
      seen.got.push(message.n)
    })
    room.on('info', info => (seen.lost += info.type === 'history_not_found'))
    // @anycable/core 1.1.7 gives up a channel whose line breaks between its subscribe and the answer (its extended
    // protocol drops the error in `reset`); an application subscribes anew, and goes on from the same position
    room.on('close', () => {
      seen.closed++
      setTimeout(subscribe, 50)
    })
    return room
  }
  cable.on('connect', how => (seen.restored += how.restored))
  await subscribe().ensureSubscribed()
  return { cable, seen }
}

const all = []
for (let client = 0; client < clients; client++) all.push(await enter(client))
console.log('ready')

let isOver = false
process.stdin.on('end', () => (isOver = true)).resume()
while (!isOver) {
  await sleep(1000 / cutsPerSecond)
  all[Math.floor(Math.random() * clients)].cable.transport.ws?.terminate()
}
lastAt = Date.now()
const deadline = Date.now() + 40000
while (Date.now() < deadline && (Date.now() - lastAt < 4000 || all.some(one => one.cable.state !== 'connected'))) await sleep(100)
const results = JSON.stringify(all.map(one => ({ ...one.seen, state: one.cable.state })))
process.stdout.write(`${results}\n`, () => process.exit(0))
