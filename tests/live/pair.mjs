// Learners who type in shared files, told what to do by lines of JSON on standard input, each answered by a line:
// `node pair.mjs CABLE_URL UUID`. Cable clients and Yjs come from node_modules beside this file.
//
//   {"do":"enter","client":"rails"|"anycable","token":"…"}   → {"n":0}: its number
//   {"do":"type","n":0,"edits":5,"seed":7,"ms":300}          → {"typed":5}: at random places, spread over that time
//   {"do":"settle","seconds":60}                             → {"texts":[{…}],"states":[…]}: once all are in step, or as they are
//   {"do":"paste","n":0,"length":50000}
//   {"do":"point","n":0,"position":{…}}                      whispers a cursor
//   {"do":"state"}                                           → the same at once

import { createInterface } from 'node:readline'
import { createCable } from '@anycable/core'
import { adapters, createConsumer } from '@rails/actioncable'
import WebSocket from 'ws'
import { Collaboration, linkToActionCable, linkToAnyCable } from './collaboration.mjs'

const [cableUrl, uuid, httpUrl] = process.argv.slice(2)
adapters.WebSocket = WebSocket
// @rails/actioncable watches whether its page is seen
Object.assign(globalThis, { addEventListener() {}, removeEventListener() {}, document: { visibilityState: 'visible' } })
adapters.logger = { log() {} }
const everybody = []
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

function enter({ client, token, origins = [cableUrl], cookie }) {
  const url = origins[everybody.length % origins.length]
  const collaboration = new Collaboration({
    uploadLarge: async (filename, message) => {
      const answer = await fetch(`${httpUrl}/api/v1/internal/collaborations/${uuid}/sync`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Cookie: cookie },
        body: JSON.stringify({ filename, message })
      })
      if (!answer.ok) throw new Error(`status ${answer.status}`)
    },
    onMessage: message => one.messages.push(message.error ? `error ${message.error.type}` : message.type),
    onClosed: reason => (one.closed = reason)
  })
  const one = { collaboration, messages: [], closed: null }
  if (client === 'rails') linkToActionCable(createConsumer(`${url}?jid=${token}`), uuid, collaboration)
  else {
    const cable = createCable(url, {
      protocol: 'actioncable-v1-ext-json',
      auth: { token },
      websocketImplementation: WebSocket,
      reconnectStrategy: () => 100 + Math.random() * 400,
      logLevel: 'silent'
    })
    linkToAnyCable(cable, uuid, collaboration)
  }
  everybody.push(one)
  return { n: everybody.length - 1 }
}

function dice(seed) { // mulberry32
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

async function type({ n, edits, seed, ms }) {
  const random = dice(seed)
  const { collaboration } = everybody[n]
  for (let edit = 0; edit < edits; edit++) {
    await sleep((ms / edits) * 2 * random())
    const files = [...collaboration.files.values()]
    const text = files[Math.floor(random() * files.length)].getText('content')
    if (text.length > 40 && random() < 0.45) {
      text.delete(Math.floor(random() * (text.length - 12)), 1 + Math.floor(random() * 12))
    } else {
      text.insert(Math.floor(random() * (text.length + 1)), 'abcdefgh \n'[Math.floor(random() * 10)].repeat(1 + Math.floor(random() * 6)))
    }
  }
  return { typed: edits }
}

const textsOf = ({ collaboration }) =>
  Object.fromEntries([...collaboration.files].map(([name, doc]) => [name, doc.getText('content').toString()]))

function state() {
  return {
    texts: everybody.map(textsOf),
    states: everybody.map(({ collaboration, messages, closed }) => ({
      isSaved: collaboration.isSaved, isConnected: collaboration.isConnected, role: collaboration.role, closed, messages,
      cursors: [...collaboration.awareness.getStates().values()]
    }))
  }
}

// All are saved and read the same, twice in a row with time for a message in between.
async function settle({ seconds }) {
  const deadline = Date.now() + seconds * 1000
  let calm = 0
  while (calm < 3 && Date.now() < deadline) {
    await sleep(100)
    const open = everybody.filter(one => !one.closed)
    const texts = new Set(open.map(one => JSON.stringify(textsOf(one))))
    calm = texts.size <= 1 && open.every(one => one.collaboration.isSaved) ? calm + 1 : 0
  }
  return { isCalm: calm >= 3, ...state() }
}

// more at once than a socket takes
async function paste({ n, length }) {
  const [doc] = everybody[n].collaboration.files.values()
  doc.getText('content').insert(0, 'x'.repeat(length))
  return {}
}

function point({ n, position }) {
  everybody[n].collaboration.awareness.setLocalStateField('cursor', position)
  return {}
}

const acts = { enter, type, settle, state, paste, point }
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  // typing goes on beside other acts; its answer comes when it is done
  const answering = Promise.resolve(acts[asked.do](asked)).then(answer => console.log(JSON.stringify({ id: asked.id, ...answer })))
  if (asked.do !== 'type') await answering
}
process.exit(0)
