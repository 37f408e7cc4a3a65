// Drives examples/audio with an OfflineAudioContext, and the same signal through ringbuf.js.

import { SharedMemoryChannel } from '/dist/browser.mjs'
import { BLOCK } from '/examples/audio/blocks.mjs'
import { startPlayer, startSynth } from '/examples/audio/player.mjs'
import { Voice } from '/examples/audio/voice.mjs'
import { RingBuffer } from '/node_modules/ringbuf.js/dist/index.mjs'

const RATE = 48000

const offline = (blocks) => new OfflineAudioContext(1, blocks * BLOCK, RATE)

/**
 * What was rendered, against what the voice makes from its first sample on, bit by bit; behind
 * `made` blocks there is silence.
 */
function compare(samples, made) {
  const expected = new Float32Array(samples.length)
  new Voice(RATE).render(expected, 0, Math.min(made * BLOCK, samples.length))
  const got = new Uint32Array(samples.slice().buffer)
  const want = new Uint32Array(expected.buffer)
  let wrong = 0
  let loud = 0
  for (let i = 0; i < want.length; i++) {
    if (got[i] !== want[i]) wrong++
    if (want[i] !== 0) loud++
  }
  return { samples: want.length, wrong, loud }
}

/** Renders `blocks` blocks, of which only `made` are made in time. */
async function render({ blocks, made }) {
  const context = offline(blocks)
  const synth = await startSynth(RATE, { ahead: made, blocks: made })
  await startPlayer(context, synth)
  const rendered = await context.startRendering()
  const level = synth.level()
  const { received } = synth.samples.stats()
  synth.stop()
  return { ...compare(rendered.getChannelData(0), made), level, received: received.messages }
}

/**
 * One node after the other, each in a context of its own, since Firefox cannot suspend one that
 * renders offline.
 */
async function replace({ blocks, each }) {
  const synth = await startSynth(RATE, { ahead: 2 * each, blocks })
  for (const channel of [synth.samples, synth.levels]) {
    for (const type of ['close', 'peer-died', 'error']) channel.addEventListener(type, () => {})
  }
  synth.level() // the page takes its role, as one that watches
  const all = new Float32Array(blocks * BLOCK)
  const ends = []
  for (let at = 0; at < blocks; at += each) {
    const context = offline(each)
    const player = await startPlayer(context, synth)
    // The page comes to rest, and the next blocks into the ring: rendering offline is faster than
    // any clock.
    await new Promise((resolve) => setTimeout(resolve, 60))
    all.set((await context.startRendering()).getChannelData(0), at * BLOCK)
    ends.push({ ...(await player.end()), told: synth.level().blocks })
  }
  synth.stop()
  return { ...compare(all, blocks), ends }
}

/** What an audio thread is told that wants to wait for a message. */
async function wait() {
  const context = offline(4)
  await context.audioWorklet.addModule('/test/browser/static/audio/waiting-worklet.mjs')
  const channel = new SharedMemoryChannel(4096, 4096)
  const node = new AudioWorkletNode(context, 'waiting', { processorOptions: { handle: channel.handle } })
  const answers = []
  const told = new Promise((resolve) => {
    node.port.onmessage = ({ data }) => {
      if (answers.push(data) === 3) resolve(answers)
    }
  })
  node.connect(context.destination)
  await context.startRendering()
  return told
}

// ---- ringbuf.js ----

async function renderRingbuf(blocks) {
  const context = offline(blocks)
  await context.audioWorklet.addModule('/test/browser/static/audio/ringbuf-worklet.mjs')
  const storage = RingBuffer.getStorageForCapacity(blocks * BLOCK, Float32Array)
  const ring = new RingBuffer(storage, Float32Array)
  const voice = new Voice(RATE)
  const block = new Float32Array(BLOCK)
  for (let i = 0; i < blocks; i++) {
    voice.render(block, 0, BLOCK)
    ring.push(block)
  }
  const node = new AudioWorkletNode(context, 'ringbuf', {
    numberOfInputs: 0,
    outputChannelCount: [1],
    processorOptions: { storage },
  })
  node.connect(context.destination)
  const begin = performance.now()
  const rendered = await context.startRendering()
  return { ms: performance.now() - begin, ...compare(rendered.getChannelData(0), blocks) }
}

async function renderSabway(blocks) {
  const context = offline(blocks)
  const synth = await startSynth(RATE, { ahead: blocks, blocks })
  await startPlayer(context, synth)
  const begin = performance.now()
  const rendered = await context.startRendering()
  const ms = performance.now() - begin
  synth.stop()
  return { ms, ...compare(rendered.getChannelData(0), blocks) }
}

/** In turn, so that both meet the same machine. */
async function sideBySide({ blocks, times }) {
  const sabway = []
  const ringbuf = []
  for (let i = 0; i < times; i++) {
    sabway.push(await renderSabway(blocks))
    ringbuf.push(await renderRingbuf(blocks))
  }
  return { sabway, ringbuf }
}

Object.assign(globalThis, { audio: { render, replace, wait, sideBySide } })
