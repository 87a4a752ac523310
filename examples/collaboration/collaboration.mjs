// Shared files over CollaborationChannel: Yjs documents that are in step with the server's, whatever happens in between.
//
// docs/live.md tells how to use it; the tests of Jiki run this very file. It knows no editor and no cable client: bind
// `files.get(name).getText('content')` to an editor, and give it a link (below) to a cable client.

import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as awarenessProtocol from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'

const BATCH_MS = 80
const RETRY_MS = 1000
const REJECTED_MS = 10000

export class Collaboration {
  // `uploadLarge(filename, message)` sends what is too large for a socket: POST …/collaborations/<uuid>/sync
  constructor({ uploadLarge, onChange = () => {}, onClosed = () => {}, onRejected = () => {}, onMessage = () => {} } = {}) {
    this.files = new Map() // filename → Y.Doc
    this.awareness = new awarenessProtocol.Awareness(new Y.Doc()) // cursors and names
    this.role = null // 'edit' or 'view'
    this.participantId = null
    this.isConnected = false
    Object.assign(this, { uploadLarge, onChange, onClosed, onRejected, onMessage })
    this.unsaved = new Map() // ref → filename
    this.waiting = new Map() // filename → updates of the last moments
    this.inStep = new Set() // files that have been synced on this connection
    this.lastRef = 0
    this.maxUpdateBytes = 32768
    this.awareness.on('update', ({ added, updated, removed }, origin) => {
      if (origin === this || !this.link?.whisper || !this.isConnected) return
      const changed = awarenessProtocol.encodeAwarenessUpdate(this.awareness, [...added, ...updated, ...removed])
      this.link.whisper({ type: 'awareness', update: toBase64(changed) })
    })
  }

  // everything typed here is stored there
  get isSaved() {
    return this.isConnected && this.unsaved.size === 0 && this.waiting.size === 0 && this.files.size > 0 &&
      [...this.files.keys()].every(name => this.inStep.has(name))
  }

  // The line is back, and the subscription with it, perhaps in a stream that is over.
  restored() {
    this.isConnected = true
    this.link.perform('follow', {})
    this.begin()
    this.onChange()
  }

  disconnected() {
    this.isConnected = false
    this.inStep.clear()
    clearTimeout(this.retry)
    this.retry = null
    clearInterval(this.resyncing)
    this.onChange()
  }

  received(message) {
    if (message.error) this.syncSoon() // not stored, now: ask again
    else if (message.type === 'opened') this.opened(message)
    else if (message.type === 'sync') this.synced(message)
    else if (message.type === 'saved') this.unsaved.delete(message.ref)
    else if (message.type === 'moved') this.link.perform('follow', {})
    else if (message.type === 'role_changed' && message.participant_id === this.participantId) {
      this.role = message.role
      this.syncAll()
    }
    else if (message.type === 'closed') this.closed(message.reason)
    else if (message.type === 'awareness') {
      awarenessProtocol.applyAwarenessUpdate(this.awareness, fromBase64(message.update), this)
    }
    this.onMessage(message)
    this.onChange()
  }

  opened({ participant_id, role, filenames, resync_seconds, max_update_bytes }) {
    this.isConnected = true
    Object.assign(this, { participantId: participant_id, role, maxUpdateBytes: max_update_bytes })
    for (const filename of filenames) {
      if (this.files.has(filename)) continue
      const doc = new Y.Doc()
      doc.on('update', (update, origin) => origin !== this && this.typed(filename, update))
      this.files.set(filename, doc)
    }
    this.link.join?.(String(participant_id))
    this.resyncSeconds = resync_seconds
    this.begin()
  }

  begin() {
    clearInterval(this.resyncing)
    this.resyncing = setInterval(() => this.syncAll(), this.resyncSeconds * 1000)
    this.syncAll()
  }

  syncAll() {
    clearTimeout(this.retry)
    this.retry = null
    // begin anew: the sync finds out what is stored, of an action too that a broken line has lost
    this.unsaved.clear()
    this.inStep.clear()
    if (!this.isConnected) return
    for (const [filename, doc] of this.files) {
      const encoder = encoding.createEncoder()
      sync.writeSyncStep1(encoder, doc)
      this.link.perform('sync', { filename, message: toBase64(encoding.toUint8Array(encoder)) })
    }
  }

  syncSoon() {
    this.inStep.clear()
    this.retry ??= setTimeout(() => this.syncAll(), RETRY_MS * (0.5 + Math.random()))
  }

  synced({ filename, message }) {
    const doc = this.files.get(filename)
    if (!doc) return
    const decoder = decoding.createDecoder(fromBase64(message))
    const encoder = encoding.createEncoder()
    const kind = sync.readSyncMessage(decoder, encoder, doc, this)
    if (kind === sync.messageYjsSyncStep1) this.send(filename, encoding.toUint8Array(encoder)) // what the server lacks
    if (kind === sync.messageYjsSyncStep1 || (kind === sync.messageYjsSyncStep2 && this.role === 'view')) {
      this.inStep.add(filename)
    }
  }

  typed(filename, update) {
    if (this.role === 'view') return // the server would refuse it
    if (this.waiting.has(filename)) return void this.waiting.get(filename).push(update)
    this.waiting.set(filename, [update])
    setTimeout(() => {
      const updates = this.waiting.get(filename)
      this.waiting.delete(filename)
      if (!this.inStep.has(filename)) return void this.onChange() // the sync to come carries it
      const encoder = encoding.createEncoder()
      sync.writeUpdate(encoder, Y.mergeUpdates(updates))
      this.send(filename, encoding.toUint8Array(encoder))
    }, BATCH_MS)
    this.onChange()
  }

  send(filename, bytes) {
    const message = toBase64(bytes)
    const ref = ++this.lastRef
    this.unsaved.set(ref, filename)
    if (bytes.length <= this.maxUpdateBytes) this.link.perform('sync', { filename, message, ref })
    else {
      this.uploadLarge(filename, message).then(() => this.unsaved.delete(ref), () => this.syncSoon()).then(() => this.onChange())
    }
  }

  closed(reason) {
    this.disconnected()
    this.link.leave()
    this.onClosed(reason)
  }
}

// A link to @anycable/core or @anycable/web, made with `protocol: 'actioncable-v1-ext-json'`.
export function linkToAnyCable(cable, uuid, collaboration) {
  const subscribe = () => {
    const channel = cable.subscribeTo('CollaborationChannel', { uuid })
    let isLeft = false
    collaboration.link = {
      // an action that the line loses is repaired by the sync after the next connect
      perform: (action, data) => channel.perform(action, data).catch(() => {}),
      whisper: data => channel.whisper(data).catch(() => {}),
      join: id => channel.presence.join(id, {}),
      leave: () => {
        isLeft = true
        clearTimeout(collaboration.retrySubscribing)
        channel.disconnect()
      }
    }
    channel.on('connect', ({ restored }) => restored && collaboration.restored())
    channel.on('disconnect', () => collaboration.disconnected())
    channel.on('message', message => collaboration.received(message))
    channel.on('info', ({ type }) => type === 'history_not_found' && collaboration.syncAll())
    // The client gives a subscription up whose line broke before the answer, and one that was rejected: subscribe anew.
    channel.on('close', error => {
      if (isLeft) return
      const isRejected = error?.name === 'SubscriptionRejectedError'
      collaboration.retrySubscribing = setTimeout(subscribe, isRejected ? REJECTED_MS : RETRY_MS)
      if (isRejected) collaboration.onRejected()
    })
  }
  subscribe()
}

// A link to @rails/actioncable: no presence, and cursors of others are seen, one's own are sent by a raw command.
export function linkToActionCable(consumer, uuid, collaboration) {
  const subscription = consumer.subscriptions.create({ channel: 'CollaborationChannel', uuid }, {
    disconnected: () => collaboration.disconnected(),
    received: message => collaboration.received(message),
    rejected: () => collaboration.onRejected()
  })
  collaboration.link = {
    perform: (action, data) => subscription.perform(action, data),
    whisper: data => consumer.send({ command: 'whisper', identifier: subscription.identifier, data }),
    leave: () => subscription.unsubscribe()
  }
}

function toBase64(bytes) {
  let text = ''
  for (let start = 0; start < bytes.length; start += 8192) text += String.fromCharCode(...bytes.subarray(start, start + 8192))
  return btoa(text)
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}
