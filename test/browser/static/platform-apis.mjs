// Gives the platform's functions a message in place, as drain and `copy: false` give it: a view
// over shared memory. Answers what each of them makes of it.
import { SharedMemoryChannel } from '/dist/browser.mjs'

const BYTES = 256
/** What the message holds: no byte twice. */
const contents = Uint8Array.from({ length: BYTES }, (_, i) => (i * 7 + 3) & 255)

const channel = new SharedMemoryChannel(1 << 16, 1 << 16)
const native = SharedMemoryChannel.attach(channel.handle, { side: 'native' })

/** Are all given copies in place of messages in place? */
let copies = false

/**
 * A message in place. It stays valid while nothing else is sent: the ring is larger than all that
 * is.
 */
function message(bytes = contents) {
  if (copies) return bytes.slice()
  let view
  channel.send(bytes)
  native.drain((all, start, end) => {
    view = all.subarray(start, end)
  })
  return view
}

/**
 * Let the function have the message, and then the next one overwrite it, as happens when the
 * callback has returned.
 */
function give(take, view = message()) {
  const made = take(view)
  if (view.length !== 0) view.fill(0) // it was not transferred
  return made
}

/** Room in the ring, to be written. */
function room() {
  if (copies) return new Uint8Array(BYTES)
  const view = channel.reserve(BYTES)
  channel.abandon()
  return view.fill(0)
}

const same = (bytes, expected = contents) => {
  const got = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
  if (got.every((byte) => byte === 0)) throw new Later()
  if (got.length !== expected.length || !got.every((byte, i) => byte === expected[i])) throw new Error('other bytes')
}
const filled = (bytes) => {
  if (!new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).some((byte) => byte !== 0))
    throw new Error('not written')
}
const floats = (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
const clamped = (bytes) => new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const all = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer())
const once = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }))

/** What a promise or an event should have told long ago. */
const soon = (promise) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error('nothing came')), 5000))])

/**
 * Looks at the argument before it looks whether it is connected: refusing is a TypeError, and the
 * rest is not asked.
 */
function typeOnly(send) {
  try {
    send()
  } catch (error) {
    if (error.name !== 'InvalidStateError') throw error
  }
}

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const PIXELS = 8
const needs = (value) => {
  if (value === null || value === undefined) throw new Absent()
  return value
}
class Absent extends Error {}
/** What was read is what the message was overwritten with. */
class Later extends Error {}
/** It was taken, and did not arrive. */
class Lost extends Error {}

function graphics() {
  const gl = needs(new OffscreenCanvas(PIXELS, PIXELS).getContext('webgl2'))
  const texture = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, texture)
  const read = () => {
    gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer())
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0)
    const pixels = new Uint8Array(BYTES)
    gl.readPixels(0, 0, PIXELS, PIXELS, gl.RGBA, gl.UNSIGNED_BYTE, pixels)
    return pixels
  }
  const upload = (bytes) =>
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, PIXELS, PIXELS, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes)
  const readBuffer = () => {
    const bytes = new Uint8Array(BYTES)
    gl.getBufferSubData(gl.ARRAY_BUFFER, 0, bytes)
    return bytes
  }
  const buffer = () => gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer())
  return { gl, read, upload, readBuffer, buffer }
}

const frame = (data) => new VideoFrame(data, { format: 'RGBA', codedWidth: PIXELS, codedHeight: PIXELS, timestamp: 0 })
const audio = (data) =>
  new AudioData({
    format: 'f32',
    sampleRate: 48000,
    numberOfFrames: BYTES / 4,
    numberOfChannels: 1,
    timestamp: 0,
    data,
  })
const chunk = (data) => new EncodedVideoChunk({ type: 'key', timestamp: 0, data })
const audioBuffer = () => new AudioBuffer({ length: BYTES / 4, sampleRate: 48000 })
const offline = () => new OfflineAudioContext(1, BYTES, 48000)
const file = async () => (await navigator.storage.getDirectory()).getFileHandle('platform-apis', { create: true })

/** Through an object that a stream of the platform makes of what is written into it. */
async function through(transform, bytes) {
  const out = all(transform.readable)
  out.catch(() => {})
  const writer = transform.writable.getWriter()
  for (const promise of [writer.closed, writer.ready]) promise.catch(() => {})
  await writer.write(bytes)
  await writer.close()
  return out
}

async function gpu() {
  const adapter = await needs(navigator.gpu).requestAdapter()
  const device = await needs(adapter).requestDevice()
  const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC
  return { device, buffer: device.createBuffer({ size: BYTES, usage }) }
}

async function readBack(device, copy) {
  const buffer = device.createBuffer({ size: BYTES, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ })
  const encoder = device.createCommandEncoder()
  copy(encoder, buffer)
  device.queue.submit([encoder.finish()])
  await buffer.mapAsync(GPUMapMode.READ)
  return new Uint8Array(buffer.getMappedRange())
}

async function store(value) {
  const request = indexedDB.open('platform-apis', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('values')
  await soon(Promise.race([once(request, 'success'), once(request, 'error')]))
  const database = needs(request.result)
  try {
    const put = database.transaction('values', 'readwrite').objectStore('values').put(value, 1)
    await soon(once(put, 'success'))
    const got = database.transaction('values').objectStore('values').get(1)
    await soon(once(got, 'success'))
    same(got.result)
  } finally {
    database.close()
  }
}

/** Functions of a page by name; those that only a worker has are in `inWorker`. */
const inPage = {
  "fetch(url, { method: 'POST', body: view })": () => give((view) => fetch('/', { method: 'POST', body: view })),
  'new Response(view)': async () => same(await give((view) => new Response(view)).arrayBuffer()),
  "new Request(url, { method: 'POST', body: view })": async () =>
    same(await give((view) => new Request('/', { method: 'POST', body: view })).arrayBuffer()),
  'XMLHttpRequest.send': async () => {
    const request = new XMLHttpRequest()
    request.open('POST', '/')
    const ended = once(request, 'loadend')
    request.send(message())
    await soon(ended)
  },
  'navigator.sendBeacon': () => needs(navigator.sendBeacon).call(navigator, '/', message()),
  'WebSocket.send': () => typeOnly(() => new WebSocket('ws://localhost:1/').send(message())),
  'RTCDataChannel.send': () => {
    const connection = new (needs(globalThis.RTCPeerConnection))()
    try {
      typeOnly(() => connection.createDataChannel('x').send(message()))
    } finally {
      connection.close()
    }
  },
  'ReadableStream: controller.enqueue': async () => {
    const stream = give((view) => new ReadableStream({ start: (controller) => controller.enqueue(view) }))
    same((await stream.getReader().read()).value)
  },
  "ReadableStream of type 'bytes': controller.enqueue": async () => {
    const stream = give(
      (view) => new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(view) }),
    )
    same((await stream.getReader().read()).value)
  },
  'WritableStream: writer.write': async () => {
    const stream = new WritableStream({ write: (written) => same(written) })
    await give((view) => stream.getWriter().write(view))
  },
  'CompressionStream: writer.write': async () => {
    const packed = await through(new (needs(globalThis.CompressionStream))('gzip'), message())
    same(await through(new DecompressionStream('gzip'), packed))
  },
  'postMessage to a dedicated worker, as a clone': async () => {
    const worker = new Worker('/platform-apis-worker.mjs', { type: 'module' })
    const answer = once(worker, 'message')
    give((view) => worker.postMessage({ clone: view }))
    const { data } = await soon(answer)
    worker.terminate()
    same(data)
  },
  'postMessage, its buffer in the transfer list': () => {
    const view = message()
    new MessageChannel().port1.postMessage(view, [view.buffer])
  },
  'BroadcastChannel.postMessage': async () => {
    const [from, to] = [new BroadcastChannel('platform-apis'), new BroadcastChannel('platform-apis')]
    const answer = new Promise((resolve, reject) => {
      to.onmessage = ({ data }) => resolve(data)
      to.onmessageerror = () => reject(new Error('messageerror'))
    })
    answer.catch(() => {})
    try {
      give((view) => from.postMessage(view))
      const data = await soon(answer)
      if (data === null) throw new Lost()
      same(data)
    } finally {
      from.close()
      to.close()
    }
  },
  structuredClone: () => same(give((view) => structuredClone(view))),
  'history.pushState': () => history.pushState(message(), ''),
  'IndexedDB: store.put': () => store(message()),
  'new Blob([view])': async () => same(await new Blob([message()]).arrayBuffer()),
  'new File([view], name)': async () => same(await new File([message()], 'x').arrayBuffer()),
  'FileSystemWritableFileStream.write': async () => {
    const handle = await file()
    const writable = await needs(handle.createWritable).call(handle)
    try {
      await writable.write(message())
    } finally {
      await writable.close().catch(() => {})
    }
    same(await (await handle.getFile()).arrayBuffer())
  },
  'TextDecoder.decode': () => new TextDecoder('latin1').decode(message()),
  'TextEncoder.encodeInto(text, view)': () => {
    const view = room()
    new TextEncoder().encodeInto('abc', view)
    filled(view)
  },
  'crypto.getRandomValues(view)': () => filled(crypto.getRandomValues(room())),
  'crypto.subtle.digest': () => crypto.subtle.digest('SHA-256', message()),
  'crypto.subtle.encrypt': async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt'])
    await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, message())
  },
  'crypto.subtle.importKey': async () => {
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const key = await give((view) => crypto.subtle.importKey('raw', view, hmac, true, ['sign']))
    same(await crypto.subtle.exportKey('raw', key))
  },
  'new ImageData(view, width)': () => same(new ImageData(clamped(message()), PIXELS).data),
  'createImageBitmap, putImageData of that': async () => {
    const bitmap = await createImageBitmap(new ImageData(clamped(message()), PIXELS))
    const context = new OffscreenCanvas(PIXELS, PIXELS).getContext('2d')
    context.putImageData(new ImageData(clamped(message()), PIXELS), 0, 0)
    bitmap.close()
  },
  'WebGL: texImage2D': () => {
    const { read, upload } = graphics()
    give(upload)
    same(read())
  },
  'WebGL: texSubImage2D': () => {
    const { gl, read, upload } = graphics()
    upload(null)
    give((view) => gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, PIXELS, PIXELS, gl.RGBA, gl.UNSIGNED_BYTE, view))
    same(read())
  },
  'WebGL: bufferData': () => {
    const { gl, buffer, readBuffer } = graphics()
    buffer()
    give((view) => gl.bufferData(gl.ARRAY_BUFFER, view, gl.STATIC_DRAW))
    same(readBuffer())
  },
  'WebGL: bufferSubData': () => {
    const { gl, buffer, readBuffer } = graphics()
    buffer()
    gl.bufferData(gl.ARRAY_BUFFER, BYTES, gl.STATIC_DRAW)
    give((view) => gl.bufferSubData(gl.ARRAY_BUFFER, 0, view))
    same(readBuffer())
  },
  'WebGL: readPixels(..., view)': () => {
    const { gl, upload, read } = graphics()
    upload(contents)
    read()
    const view = room()
    gl.readPixels(0, 0, PIXELS, PIXELS, gl.RGBA, gl.UNSIGNED_BYTE, view)
    same(view)
  },
  'WebGL: getBufferSubData(..., view)': () => {
    const { gl, buffer } = graphics()
    buffer()
    gl.bufferData(gl.ARRAY_BUFFER, contents, gl.STATIC_DRAW)
    const view = room()
    gl.getBufferSubData(gl.ARRAY_BUFFER, 0, view)
    same(view)
  },
  'WebGPU: queue.writeBuffer': async () => {
    const { device, buffer } = await gpu()
    give((view) => device.queue.writeBuffer(buffer, 0, view))
    same(await readBack(device, (encoder, target) => encoder.copyBufferToBuffer(buffer, 0, target, 0, BYTES)))
  },
  'WebGPU: queue.writeTexture': async () => {
    const { device } = await gpu()
    const usage = GPUTextureUsage.COPY_DST | GPUTextureUsage.COPY_SRC
    const texture = device.createTexture({ size: [PIXELS, 1], format: 'rgba8unorm', usage })
    give((view) => device.queue.writeTexture({ texture }, view, {}, [PIXELS, 1]))
    const pixels = await readBack(device, (encoder, buffer) =>
      encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: BYTES }, [PIXELS, 1]),
    )
    same(pixels.subarray(0, 4 * PIXELS), contents.subarray(0, 4 * PIXELS))
  },
  'new VideoFrame(view, init)': async () => {
    const made = give(frame)
    const bytes = new Uint8Array(BYTES)
    await made.copyTo(bytes)
    made.close()
    same(bytes)
  },
  'VideoFrame.copyTo(view)': async () => {
    const view = room()
    const made = frame(contents)
    await made.copyTo(view)
    made.close()
    same(view)
  },
  'new AudioData({ data: view })': () => {
    const made = give(audio)
    const bytes = new Uint8Array(BYTES)
    made.copyTo(bytes, { planeIndex: 0 })
    made.close()
    same(bytes)
  },
  'AudioData.copyTo(view)': () => {
    const view = room()
    const made = audio(contents)
    made.copyTo(view, { planeIndex: 0 })
    made.close()
    same(view)
  },
  'new EncodedVideoChunk({ data: view })': () => {
    const bytes = new Uint8Array(BYTES)
    give(chunk).copyTo(bytes)
    same(bytes)
  },
  'EncodedVideoChunk.copyTo(view)': () => {
    const view = room()
    chunk(contents).copyTo(view)
    same(view)
  },
  'new ImageDecoder({ data: view })': () => {
    const decoder = new (needs(globalThis.ImageDecoder))({ data: message(), type: 'image/png' })
    // it is no image
    for (const promise of [decoder.completed, decoder.tracks.ready]) promise.catch(() => {})
  },
  'AudioBuffer.copyToChannel(view)': () => {
    const buffer = audioBuffer()
    buffer.copyToChannel(floats(message()), 0)
    same(buffer.getChannelData(0), new Uint8Array(floats(contents).buffer))
  },
  'AudioBuffer.copyFromChannel(view)': () => {
    const [buffer, view] = [audioBuffer(), room()]
    buffer.getChannelData(0).fill(1)
    buffer.copyFromChannel(floats(view), 0)
    filled(view)
  },
  'AnalyserNode.getByteTimeDomainData(view)': () => {
    const view = room()
    offline().createAnalyser().getByteTimeDomainData(view)
    filled(view)
  },
  'AudioContext.decodeAudioData(view.buffer)': async () => {
    try {
      await offline().decodeAudioData(message().buffer)
    } catch (error) {
      if (error.name !== 'EncodingError') throw error // no sound, but it was looked at
    }
  },
  'SourceBuffer.appendBuffer': async () => {
    const source = new (needs(globalThis.MediaSource))()
    const element = document.createElement('video')
    element.src = URL.createObjectURL(source)
    await soon(once(source, 'sourceopen'))
    source.addSourceBuffer('video/webm; codecs="vp8"').appendBuffer(message())
  },
  'new FontFace(name, view)': async () => {
    const face = new FontFace('x', message())
    await face.loaded.catch((error) => {
      if (error.name !== 'SyntaxError') throw error // no font, but it was looked at
    })
  },
  'WebAssembly.compile': () => give((view) => WebAssembly.compile(view), message(EMPTY_MODULE)),
  'new DataView(view.buffer, ...)': () => {
    const view = message()
    if (new DataView(view.buffer, view.byteOffset, BYTES).getUint8(1) !== contents[1]) throw new Error('other bytes')
  },
  'new Float32Array(view.buffer, view.byteOffset, n)': () =>
    same(floats(message()), new Uint8Array(floats(contents).buffer)),
  'Atomics.load, add, notify, ... on an Int32Array': () => {
    const view = room()
    Atomics.add(new Int32Array(view.buffer, view.byteOffset, 1), 0, 5)
    Atomics.notify(new Int32Array(view.buffer, view.byteOffset, 1), 0)
    filled(view)
  },
  'TypedArray: set, slice, subarray, of, from, copyWithin, sort': () => {
    const own = new Uint8Array(BYTES)
    own.set(message())
    same(own)
    same(message().slice())
    same(new Uint8Array(message()))
    room().set(contents)
  },
}

const inWorker = {
  'FileSystemSyncAccessHandle.write': (access) => access.write(message(), { at: 0 }),
  'FileSystemSyncAccessHandle.read(view)': (access) => {
    access.write(contents, { at: 0 })
    const view = room()
    access.read(view, { at: 0 })
    same(view)
  },
}

async function ask(run) {
  try {
    await soon(Promise.resolve().then(run))
    return 'in place'
  } catch (error) {
    if (error instanceof Later) return 'later'
    if (error instanceof Lost) return 'lost'
    if (error.name === 'CompileError') return 'later'
    if (error instanceof Absent || (error.name === 'ReferenceError' && /defined/.test(error.message))) return 'absent'
    // What is not a refusal of the argument is a mistake of this file, or the browser takes bytes
    // that are not the message's.
    const refusals = ['TypeError', 'DataCloneError', 'SecurityError']
    return refusals.includes(error.name) || error.message === 'messageerror'
      ? 'refused'
      : `${error.name}: ${error.message}`
  }
}

/** { name: answer } of what a worker has besides. */
globalThis.probeInWorker = async () => {
  const answers = {}
  for (const [name, run] of Object.entries(inWorker)) {
    answers[name] = await ask(async () => {
      const handle = await file()
      const access = await needs(handle.createSyncAccessHandle).call(handle)
      try {
        run(access)
      } finally {
        access.close()
      }
    })
  }
  return answers
}

/** { name: answer } of all. */
globalThis.probe = async () => {
  const answers = {}
  for (const [name, run] of Object.entries(inPage)) answers[name] = await ask(run)
  const worker = new Worker('/platform-apis-worker.mjs', { type: 'module' })
  const answer = once(worker, 'message')
  worker.postMessage({ probe: true })
  Object.assign(answers, (await answer).data)
  worker.terminate()
  return answers
}

/** The names of those that refuse a copy, too. */
globalThis.refusingCopies = async () => {
  copies = true
  const refusing = []
  for (const [name, run] of Object.entries(inPage)) {
    const answer = await ask(run)
    if (!['in place', 'later', 'absent'].includes(answer)) refusing.push(`${name}: ${answer}`)
  }
  copies = false
  return refusing
}

/** What takes the place of a copy where one is not needed. */
const waysAround = {
  'TextDecoder, by an array made once': () => {
    const own = new Uint8Array(1024)
    const view = message(new TextEncoder().encode('sabway'))
    own.set(view)
    if (new TextDecoder().decode(own.subarray(0, view.length)) !== 'sabway') throw new Error('other text')
  },
  'TextEncoder, by an array made once': () => {
    const [own, view] = [new Uint8Array(1024), room()]
    const { written } = new TextEncoder().encodeInto('sabway', own)
    view.set(own.subarray(0, written))
    filled(view)
  },
  'an ImageData made once': () => {
    const image = new ImageData(PIXELS, PIXELS)
    image.data.set(message())
    same(image.data)
  },
  'a VideoFrame, drawn': () => {
    const context = new OffscreenCanvas(PIXELS, PIXELS).getContext('2d')
    const made = frame(message(new Uint8Array(BYTES).fill(255)))
    context.drawImage(made, 0, 0)
    made.close()
    if (context.getImageData(1, 1, 1, 1).data[0] !== 255) throw new Error('not drawn')
  },
  'getChannelData, set': () => {
    const buffer = audioBuffer()
    buffer.getChannelData(0).set(floats(message()))
    same(buffer.getChannelData(0), new Uint8Array(floats(contents).buffer))
  },
  'getChannelData, read': () => {
    const [buffer, view] = [audioBuffer(), room()]
    buffer.getChannelData(0).fill(1)
    floats(view).set(buffer.getChannelData(0))
    filled(view)
  },
  'the readable, compressed': async () => {
    const [from, to] = [new SharedMemoryChannel(4096, 4096)].flatMap((made) => [
      made,
      SharedMemoryChannel.attach(made.handle, { side: 'native' }),
    ])
    from.send(contents)
    from.cleanup()
    const packed = await all(to.readable.pipeThrough(new CompressionStream('gzip')))
    same(await through(new DecompressionStream('gzip'), packed))
  },
}

/** What went wrong with them. */
globalThis.failedWaysAround = async () => {
  const failed = []
  for (const [name, run] of Object.entries(waysAround)) {
    await soon(Promise.resolve().then(run)).catch((error) => failed.push(`${name}: ${error}`))
  }
  return failed
}
