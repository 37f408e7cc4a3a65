// Makes scopes of every kind out of a page, and asks what scope.mjs can do there:
// globalThis.askScope(kind, question).
import { SharedMemoryChannel } from '/dist/browser.mjs'
import '/scope.mjs'

const script = `${location.origin}/scope.mjs`
const source = `import ${JSON.stringify(script)}`
/** The same server under another name. */
const elsewhere = location.origin.replace('127.0.0.1', 'localhost')

/** The port that the page in a window or frame sends when it is there. */
const portOf = (open) =>
  new Promise((resolve) => {
    addEventListener('message', ({ data, ports }) => data === 'port' && resolve(ports[0]), { once: true })
    open()
  })

const frame = (attributes) =>
  portOf(() => {
    const element = document.createElement('iframe')
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    document.body.append(element)
  })

const worker = (url) => new Worker(url, { type: 'module' })
const here = location.pathname === '/' ? '/scope' : '/exposed/scope'

const scopes = {
  'a dedicated worker': () => worker(script),
  'a worker from a blob:': () => worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))),
  'a worker from a data: URL': () => worker(`data:text/javascript,${encodeURIComponent(source)}`),
  'a SharedWorker': () => new SharedWorker(script, { type: 'module' }).port,
  'a service worker': async () => {
    const { installing, active, waiting } = await navigator.serviceWorker.register(script, { type: 'module' })
    const { port1, port2 } = new MessageChannel()
    ;(installing ?? waiting ?? active).postMessage('port', [port2])
    return port1
  },
  'an iframe': () => frame({ src: here }),
  'an iframe of another origin': () => frame({ src: elsewhere + here }),
  'an iframe of another origin, allowed': () => frame({ src: elsewhere + here, allow: 'cross-origin-isolated' }),
  'an iframe with a sandbox': () => frame({ src: here, sandbox: 'allow-scripts' }),
  'a window that the page opened': () => portOf(() => open(here)),
}

const ports = new Map()

async function portTo(kind) {
  if (!ports.has(kind)) {
    const port = await scopes[kind]()
    port.start?.()
    ports.set(kind, port)
  }
  return ports.get(kind)
}

/** The answer of scope.mjs in a scope of that kind. */
globalThis.askScope = async (kind, question) => {
  const port = await portTo(kind)
  const answer = new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => resolve(data)
    port.onerror = ({ message }) => reject(new Error(message))
  })
  port.postMessage(question)
  return answer
}

/** All that scopes.test.ts asks of a scope. */
globalThis.askAll = async (kind) => ({
  within: await globalThis.askScope(kind, { ask: 'withinItself' }),
  handle: await globalThis.askScope(kind, { ask: 'handle' }),
  attach: globalThis.crossOriginIsolated ? await globalThis.shareWith(kind) : null,
})

/** Give that scope the handle of a channel; the answer, and what it echoes. */
globalThis.shareWith = async (kind) => {
  const channel = new SharedMemoryChannel(4096, 4096)
  const answer = await globalThis.askScope(kind, { ask: 'attach', handle: channel.handle })
  if (answer.result !== 'attached') return answer
  channel.send(Uint8Array.of(1, 2, 3))
  return { ...answer, echo: [...(await channel.receive())] }
}

/**
 * The other tab: answers with what came over the channel of tabs; null, in a browser that makes
 * that of what it cannot share.
 */
if (location.search === '?tab') {
  const tabs = new BroadcastChannel('tabs')
  const heard = []
  tabs.onmessageerror = () => heard.push('messageerror')
  tabs.onmessage = ({ data }) => {
    if (data === 'sent') tabs.postMessage({ heard })
    else heard.push(data === null ? 'null' : 'the handle')
  }
  tabs.postMessage('here')
}

/** Send the handle to another tab; what that heard. */
globalThis.shareWithTab = () =>
  new Promise((resolve) => {
    const out = new BroadcastChannel('tabs')
    out.onmessage = ({ data }) => {
      if (data?.heard !== undefined) return resolve(data.heard)
      if (data !== 'here') return
      out.postMessage({ handle: new SharedMemoryChannel(4096, 4096).handle })
      out.postMessage('sent')
    }
    open('/?tab', '_blank', 'noopener')
  })
