// The real clients against a running cable: `node conformance.mjs CABLE_URL HTTP_URL`, one line per check.
//
// HTTP_URL offers what stage.py does: GET /token/ID, GET /signed/STREAM, POST /publish, POST /disconnect/ID, POST /forget.
// The modules come from the folder that JIKI_NODE_MODULES names. Exits with 1 when a check failed.

import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [cableUrl, httpUrl, only] = process.argv.slice(2)
const modules = process.env.JIKI_NODE_MODULES
const WebSocket = createRequire(path.join(modules, 'x.js'))('ws')

// what @rails/actioncable expects of a browser
globalThis.WebSocket = WebSocket
globalThis.addEventListener = globalThis.removeEventListener = () => {}
globalThis.document = { visibilityState: 'visible' }

const load = name => import(pathToFileURL(path.join(modules, name)).href)
const rails = await load('@rails/actioncable/app/assets/javascripts/actioncable.esm.js')
const { createCable } = await load('@anycable/core/index.js')

// A short stale threshold would hide a server that pings too seldom; reconnecting soon only saves time.
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const token = async (user = 1, query = '') => (await fetch(`${httpUrl}/token/${user}${query}`)).text()
const post = (where, body = {}) =>
  fetch(`${httpUrl}${where}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const publish = (stream, messages, options = {}) => post('/publish', { stream, messages, options })
const numbers = (from, count) => Array.from({ length: count }, (_, n) => ({ n: from + n }))

let nextRoom = 1000 + (Date.now() % 1000000)
const newRoom = () => ++nextRoom

function equal(actual, expected, what = 'value') {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw Error(`${what}: expected ${b}, got ${a}`)
}

async function until(condition, what, ms = 10000) {
  const deadline = Date.now() + ms
  while (!condition()) {
    if (Date.now() > deadline) throw Error(`waited ${ms} ms for ${what}`)
    await sleep(10)
  }
}

// @rails/actioncable

async function consumer(user = 1) {
  const made = rails.createConsumer(`${cableUrl}?jid=${await token(user)}`)
  return made
}

function subscribed(consumer, params) {
  const seen = { received: [], connected: [], disconnected: [], rejected: 0 }
  const subscription = consumer.subscriptions.create(params, {
    received: message => seen.received.push(message),
    connected: how => seen.connected.push(how),
    disconnected: how => seen.disconnected.push(how),
    rejected: () => seen.rejected++
  })
  return Object.assign(seen, { subscription })
}

// @anycable/core

const EXTENDED = 'actioncable-v1-ext-json'

async function cable(options = {}, user = 1) {
  const made = createCable(cableUrl, {
    auth: { token: await token(user) },
    websocketImplementation: WebSocket,
    reconnectStrategy: () => 200,
    logLevel: 'error',
    ...options
  })
  return made
}

async function entered(cable, params, name = 'RoomChannel') {
  const channel = cable.subscribeTo(name, params)
  channel.got = []
  channel.metas = []
  channel.infos = []
  channel.states = []
  channel.presences = []
  channel.on('message', (message, meta) => {
    channel.got.push(message)
    channel.metas.push(meta)
  })
  channel.on('info', info => channel.infos.push(info.type))
  channel.on('connect', how => channel.states.push({ connect: how.restored }))
  channel.on('disconnect', () => channel.states.push('disconnect'))
  channel.on('presence', event => channel.presences.push(event))
  await channel.ensureSubscribed()
  return channel
}

// the line breaks without a word, as wifi does
const cut = cable => cable.transport.ws.terminate()

// A bare socket

async function raw({ protocols = [EXTENDED], query = '', headers = {}, user = 1, options = {} } = {}) {
  const socket = new WebSocket(`${cableUrl}?jid=${await token(user)}${query}`, protocols, { headers, ...options })
  const said = []
  const state = { socket, said, code: undefined, status: undefined }
  socket.on('message', text => said.push(JSON.parse(text)))
  socket.on('close', code => (state.code = code))
  socket.on('unexpected-response', (_, response) => (state.status = response.statusCode))
  socket.on('error', () => {})
  state.say = (command, identifier, more = {}) => socket.send(JSON.stringify({ command, identifier, ...more }))
  state.heard = type => said.filter(one => (type === 'data' ? 'message' in one && !one.type : one.type === type))
  await until(() => socket.readyState !== WebSocket.CONNECTING || state.status, 'the handshake')
  return state
}

const identifierOf = id => JSON.stringify({ channel: 'RoomChannel', id })

const checks = {
  'rails: subscribes, receives in order, performs': async () => {
    const id = newRoom()
    const room = subscribed(await consumer(), { channel: 'RoomChannel', id })
    await until(() => room.connected.length, 'connected')
    equal(room.connected, [{ reconnected: false }])
    await publish(`room/${id}`, numbers(0, 50))
    await until(() => room.received.length === 50, '50 messages')
    equal(room.received, numbers(0, 50))
    room.subscription.perform('echo', { a: 1 })
    await until(() => room.received.length === 51, 'the echo')
    equal(room.received.at(-1), { echo: { a: 1 } })
  },

  'rails: speaks actioncable-v1-json': async () => {
    const made = await consumer()
    const room = subscribed(made, { channel: 'RoomChannel', id: newRoom() })
    await until(() => room.connected.length, 'connected')
    equal(made.connection.webSocket.protocol, 'actioncable-v1-json')
  },

  'rails: a rejection reaches the application': async () => {
    const room = subscribed(await consumer(), { channel: 'RoomChannel', id: 13 })
    await until(() => room.rejected, 'rejected')
    equal(room.connected, [])
  },

  'rails: a database that is away for a moment only delays a subscribe': async () => {
    const room = subscribed(await consumer(), { channel: 'RoomChannel', id: newRoom(), label: 'away 3' })
    await until(() => room.connected.length, 'connected')
    equal([room.connected, room.disconnected, room.rejected], [[{ reconnected: false }], [], 0])
  },

  'rails: comes back by itself to a database that is away for longer': async () => {
    const room = subscribed(await consumer(), { channel: 'RoomChannel', id: newRoom(), label: 'away 10' })
    await until(() => room.connected.length, 'connected', 45000)
    equal([room.disconnected.length, room.rejected], [1, 0])
  },

  'rails: unsubscribe and subscribe back to back': async () => {
    const made = await consumer()
    const id = newRoom()
    const first = subscribed(made, { channel: 'RoomChannel', id })
    await until(() => first.connected.length, 'connected')
    first.subscription.unsubscribe()
    const second = subscribed(made, { channel: 'RoomChannel', id })
    await until(() => second.connected.length, 'connected again')
    await publish(`room/${id}`, numbers(0, 1))
    await until(() => second.received.length === 1, 'the message')
    equal(first.received, [])
  },

  'rails: a second object of one identifier repeats for ever and hurts nobody': async () => {
    const made = await consumer()
    const id = newRoom()
    const first = subscribed(made, { channel: 'RoomChannel', id })
    await until(() => first.connected.length, 'connected')
    const second = subscribed(made, { channel: 'RoomChannel', id })
    await sleep(2500)
    await publish(`room/${id}`, numbers(0, 1))
    await until(() => first.received.length && second.received.length, 'the message at both')
    equal([first.received.length, second.received.length, first.connected.length], [1, 1, 1])
  },

  'rails: pings keep it for 14 s without a reconnect': async () => {
    const made = await consumer()
    const room = subscribed(made, { channel: 'RoomChannel', id: newRoom() })
    await until(() => room.connected.length, 'connected')
    await sleep(14000)
    equal([room.connected.length, room.disconnected.length, made.connection.monitor.reconnectAttempts], [1, 0, 0])
  },

  'rails: comes back after a remote disconnect that allows it': async () => {
    const room = subscribed(await consumer(31), { channel: 'RoomChannel', id: newRoom() })
    await until(() => room.connected.length, 'connected')
    await post('/disconnect/31?reconnect=1')
    await until(() => room.connected.length === 2, 'connected again', 30000)
    equal(room.connected.at(-1), { reconnected: true })
  },

  'rails: stays away after a final disconnect': async () => {
    const made = await consumer(32)
    const room = subscribed(made, { channel: 'RoomChannel', id: newRoom() })
    await until(() => room.connected.length, 'connected')
    await post('/disconnect/32')
    await until(() => room.disconnected.length, 'disconnected')
    equal(room.disconnected, [{ willAttemptReconnect: false }])
    equal(made.connection.monitor.isRunning() && true, false)
  },

  'anycable base: subscribes with sorted keys, receives, performs': async () => {
    const made = await cable()
    const id = newRoom()
    const room = await entered(made, { id, label: 'a' })
    await publish(`room/${id}`, numbers(0, 20))
    await until(() => room.got.length === 20, '20 messages')
    equal(room.got, numbers(0, 20))
    await room.perform('echo', { a: 1 })
    await until(() => room.got.length === 21, 'the echo')
    equal(made.transport.ws.protocol, 'actioncable-v1-json')
  },

  'anycable base: the token as a subprotocol': async () => {
    const room = await entered(await cable({ websocketAuthStrategy: 'sub-protocol' }), { id: newRoom() })
    equal(room.state, 'connected')
  },

  'anycable base: comes back by itself to a database that is away for longer': async () => {
    const channel = (await cable()).subscribeTo('RoomChannel', { id: newRoom(), label: 'away 10' })
    await until(() => channel.state === 'connected', 'connected', 30000)
  },

  // it repeats its subscribe after 5 s, and gives it up after 10 s or with the line
  'extended: a database that is away for a moment only delays a subscribe': async () => {
    const id = newRoom()
    const room = await entered(await cable({ protocol: EXTENDED }), { id, label: 'away 6' })
    await publish(`room/${id}`, numbers(0, 2))
    await until(() => room.got.length === 2, '2 messages')
    equal([room.got, room.states], [numbers(0, 2), [{ connect: false }]])
  },

  'anycable: a rejection is an error of the channel': async () => {
    const channel = (await cable()).subscribeTo('RoomChannel', { id: 13 })
    let reason = ''
    await channel.ensureSubscribed().catch(error => (reason = error.name))
    equal(reason, 'SubscriptionRejectedError')
  },

  'anycable: an expired token is refreshed': async () => {
    let refreshed = 0
    const made = createCable(cableUrl, {
      auth: { token: await token(1, '?seconds=-1') },
      websocketImplementation: WebSocket,
      logLevel: 'error',
      tokenRefresher: async transport => {
        refreshed++
        transport.setToken(await token(1))
      }
    })
    const room = made.subscribeTo('RoomChannel', { id: newRoom() })
    await until(() => room.state === 'connected', 'the second try')
    equal(refreshed, 1)
  },

  'anycable: a token that expires on an open socket is refreshed': async () => {
    let refreshed = 0
    const made = createCable(cableUrl, {
      // long enough to subscribe with on a machine that is busy with all the other checks
      auth: { token: await token(1, '?seconds=8') },
      protocol: EXTENDED,
      websocketImplementation: WebSocket,
      logLevel: 'error',
      tokenRefresher: async transport => {
        refreshed++
        transport.setToken(await token(1))
      }
    })
    const id = newRoom()
    const room = await entered(made, { id })
    await publish(`room/${id}`, numbers(0, 1))
    await until(() => room.got.length === 1, 'the first message')
    await until(() => refreshed === 1, 'the refresh', 20000)
    await publish(`room/${id}`, numbers(1, 1))
    await until(() => room.got.length === 2, 'the second message')
    equal(room.got, numbers(0, 2))
  },

  'anycable: stays away when it is unauthorized': async () => {
    const made = createCable(cableUrl, { auth: { token: 'bad' }, websocketImplementation: WebSocket, logLevel: 'silent' })
    let reason
    made.on('close', error => (reason = error.reason))
    made.connect().catch(() => {})
    await until(() => reason, 'the end')
    equal([reason, made.state], ['unauthorized', 'closed'])
  },

  'extended: messages carry positions': async () => {
    const id = newRoom()
    const room = await entered(await cable({ protocol: EXTENDED }), { id })
    await publish(`room/${id}`, numbers(0, 3))
    await until(() => room.got.length === 3, '3 messages')
    equal(room.metas.map(meta => meta.offset), [1, 2, 3])
    equal(room.metas[0].stream, `room/${id}`)
  },

  'extended: a broken line restores the session and misses nothing': async () => {
    const made = await cable({ protocol: EXTENDED })
    const id = newRoom()
    const room = await entered(made, { id })
    await publish(`room/${id}`, numbers(0, 3))
    await until(() => room.got.length === 3, '3 messages')
    await sleep(200)
    cut(made)
    await publish(`room/${id}`, numbers(3, 5))
    await until(() => room.got.length === 8, 'what was missed')
    await publish(`room/${id}`, numbers(8, 2))
    await until(() => room.got.length === 10, 'what follows')
    equal(room.got, numbers(0, 10))
    equal(room.states, [{ connect: false }, { connect: true }])
    equal(room.infos.at(-1), 'history_received')
  },

  'extended: exactly once, in order, over ten broken lines': async () => {
    const made = await cable({ protocol: EXTENDED, reconnectStrategy: () => 50 })
    const id = newRoom()
    const room = await entered(made, { id })
    await publish(`room/${id}`, numbers(0, 1))
    await until(() => room.got.length === 1, 'the first')
    for (let round = 0, sent = 1; round < 10; round++) {
      const sending = publish(`room/${id}`, numbers(sent, 8))
      sent += 8
      if (made.transport.ws) cut(made)
      await sending
      await sleep(60 * (round % 4))
    }
    await until(() => room.got.length >= 81, 'all messages', 15000)
    await sleep(300)
    equal(room.got, numbers(0, 81))
    equal(room.infos.includes('history_not_found'), false)
  },

  'extended: a subscription without the session gets its history': async () => {
    const made = await cable({ protocol: EXTENDED, protocolOptions: { disableSessionRecovery: true } })
    const id = newRoom()
    const room = await entered(made, { id })
    await publish(`room/${id}`, numbers(0, 2))
    await until(() => room.got.length === 2, '2 messages')
    cut(made)
    await publish(`room/${id}`, numbers(2, 3))
    await until(() => room.got.length === 5, 'what was missed')
    equal(room.got, numbers(0, 5))
  },

  'extended: a server restart with a word misses nothing': async () => {
    const made = await cable({ protocol: EXTENDED }, 33)
    const id = newRoom()
    const room = await entered(made, { id })
    await publish(`room/${id}`, numbers(0, 2))
    await until(() => room.got.length === 2, '2 messages')
    await post('/disconnect/33?reconnect=1')
    await until(() => made.state !== 'connected', 'disconnected')
    await publish(`room/${id}`, numbers(2, 3))
    await until(() => room.got.length === 5, 'what was missed')
    equal(room.got, numbers(0, 5))
  },

  'extended: history that is gone is told': async () => {
    const made = await cable({ protocol: EXTENDED, reconnectStrategy: () => 60000 })
    const id = newRoom()
    const room = await entered(made, { id })
    await publish(`room/${id}`, numbers(0, 1))
    await until(() => room.got.length === 1, 'the first')
    cut(made)
    await until(() => made.state === 'disconnected', 'the end of the line')
    await publish(`room/${id}`, numbers(1, 120))
    made.monitor.reconnectNow() // not before all is sent, however long that takes
    await until(() => room.infos.includes('history_not_found'), 'the loss to be told')
    await publish(`room/${id}`, numbers(200, 1))
    await until(() => room.got.at(-1).n === 200, 'the next message')
    equal(room.got, [{ n: 0 }, { n: 200 }])
  },

  'extended: whispers reach the others only': async () => {
    const id = newRoom()
    const [here, there] = [await entered(await cable({ protocol: EXTENDED }), { id }), await entered(await cable(), { id })]
    await here.whisper({ event: 'cursor', line: 12 })
    await until(() => there.got.length, 'the whisper')
    equal(there.got, [{ event: 'cursor', line: 12 }])
    equal(here.got, [])
  },

  'extended: presence joins, lists and leaves': async () => {
    const id = newRoom()
    const here = await entered(await cable({ protocol: EXTENDED }), { id })
    const there = await entered(await cable({ protocol: EXTENDED }), { id })
    await here.presence.join('42', { name: 'Ada' })
    await until(() => here.presences.length && there.presences.length, 'the announcement')
    equal(there.presences, [{ type: 'join', id: '42', info: { name: 'Ada' } }])
    equal(await there.presence.info(), { 42: { name: 'Ada' } })
    await here.presence.leave()
    await until(() => there.presences.at(-1).type === 'leave', 'the departure')
    equal(there.presences.at(-1), { type: 'leave', id: '42' })
  },

  'extended: pongs are taken': async () => {
    const made = await cable({ protocol: EXTENDED, protocolOptions: { pongs: true } })
    const room = await entered(made, { id: newRoom() })
    await sleep(8000)
    equal([made.state, room.states.length], ['connected', 1])
  },

  'extended: a signed stream': async () => {
    const id = newRoom()
    const made = await cable({ protocol: EXTENDED })
    const channel = made.streamFromSigned(await (await fetch(`${httpUrl}/signed/room/${id}`)).text())
    const got = []
    channel.on('message', message => got.push(message))
    await channel.ensureSubscribed()
    await publish(`room/${id}`, numbers(0, 2))
    await until(() => got.length === 2, '2 messages')
    equal(got, numbers(0, 2))
  },

  'extended: an unsigned stream is refused': async () => {
    const channel = (await cable({ protocol: EXTENDED })).streamFrom('room/1')
    let reason = ''
    await channel.ensureSubscribed().catch(error => (reason = error.name))
    equal(reason, 'SubscriptionRejectedError')
  },

  'extended: notifications of the user and of nobody else': async () => {
    const mine = await entered(await cable({ protocol: EXTENDED }, 51), {}, 'NotificationsChannel')
    const theirs = await entered(await cable({ protocol: EXTENDED }, 52), {}, 'NotificationsChannel')
    const unlocked = { id: '1', type: 'learning.lesson_unlocked', data: { slug: 'loops' } }
    await publish('notifications/51', [unlocked])
    await until(() => mine.got.length, 'the notification')
    equal(mine.got, [unlocked])
    equal(theirs.got, [])
  },

  'extended: a durable message that is published again comes once': async () => {
    const id = newRoom()
    const room = await entered(await cable({ protocol: EXTENDED }), { id })
    for (let n = 0; n < 3; n++) await publish(`room/${id}`, [{ n: 1 }], { durable_id: 'outbox-1' })
    await publish(`room/${id}`, [{ n: 2 }])
    await until(() => room.got.length >= 2, 'both')
    equal(room.got, [{ n: 1 }, { n: 2 }])
  },

  'hardening: the identifier comes back byte for byte': async () => {
    const { socket, heard } = await raw()
    for (const identifier of ['{"channel":"RoomChannel","id":1}', '{ "id" : 1 , "channel" : "RoomChannel" }', '{"channel":"Nöthing 🚲"}']) {
      socket.send(JSON.stringify({ command: 'subscribe', identifier }))
      const answered = () => [...heard('confirm_subscription'), ...heard('reject_subscription')]
      await until(() => answered().some(one => one.identifier === identifier), identifier)
    }
  },

  'hardening: one confirmation however often it is asked': async () => {
    const { say, heard } = await raw()
    const identifier = identifierOf(newRoom())
    for (let n = 0; n < 5; n++) say('subscribe', identifier)
    say('ping')
    await until(() => heard('pong').length, 'the pong')
    equal(heard('confirm_subscription').length, 1)
  },

  'hardening: confirmation, history and acknowledgement in this order': async () => {
    const { say, said, heard } = await raw()
    const id = newRoom()
    const since = Math.floor(Date.now() / 1000)
    await publish(`room/${id}`, numbers(0, 3))
    say('subscribe', identifierOf(id), { history: { since } })
    await until(() => heard('confirm_history').length, 'the acknowledgement')
    equal(
      said.filter(one => one.identifier).map(one => one.type ?? one.message.n),
      ['confirm_subscription', 0, 1, 2, 'confirm_history']
    )
  },

  'hardening: a foreign page gets 403 before the upgrade': async () => {
    equal((await raw({ headers: { origin: 'http://evil.example' } })).status, 403)
  },

  'hardening: compression is not agreed to': async () => {
    equal((await raw({ options: { perMessageDeflate: true } })).socket.extensions, '')
  },

  'hardening: 64 KiB is the limit of a message': async () => {
    const state = await raw()
    state.socket.send('x'.repeat(70000))
    await until(() => state.code, 'the close')
    equal(state.code, 1009)
  },

  'hardening: nonsense is not answered': async () => {
    const { socket, say, said, heard } = await raw()
    await until(() => said.length, 'the welcome')
    for (const text of ['{', '[]', '{"command":"fly"}', '{"command":"unsubscribe","identifier":"x"}']) socket.send(text)
    say('ping')
    await until(() => heard('pong').length, 'the pong')
    equal(said.filter(one => !['welcome', 'pong', 'ping'].includes(one.type)), [])
  },

  'hardening: an action that raises is answered and the socket goes on': async () => {
    const { say, heard } = await raw()
    const identifier = identifierOf(newRoom())
    say('subscribe', identifier)
    say('message', identifier, { data: JSON.stringify({ action: 'fail' }) })
    say('message', identifier, { data: JSON.stringify({ action: 'echo' }) })
    await until(() => heard('data').length === 2, 'both answers')
    equal(heard('data').map(one => one.message), [{ error: { type: 'internal_error' } }, { echo: {} }])
  }
}

// Checks have rooms and users of their own, so they run together; lines come in the order above.
const run = Object.entries(checks)
  .filter(([name]) => !only || name.includes(only))
  .map(async ([name, check]) => {
    const late = sleep(60000).then(() => Promise.reject(Error('took longer than 60 s')))
    try {
      await Promise.race([check(), late])
      return `ok    ${name}`
    } catch (error) {
      return `FAIL  ${name}: ${error.message}`
    }
  })
let failed = 0
for (const line of run) {
  console.log(await line)
  failed += (await line).startsWith('FAIL')
}
console.log(failed ? `${failed} failed` : 'all passed')
process.exit(failed ? 1 : 0)
