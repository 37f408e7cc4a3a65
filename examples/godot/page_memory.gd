# The memory of a queue in a page, for p2p_queue.gd: Godot 3 and Godot 4 both run it.
#
#   var memory = PageMemory.new(Engine.get_singleton("JavaScriptBridge"), queue)
#
# An engine in a page reaches other memory than its own by calls to JavaScript, one for each word or
# run of bytes. Bytes go as text in base64, since the versions of Godot differ in what else they pass.

# Atomics work on an ArrayBuffer, too, which queues are in a page that is not isolated.
const MEMORY = """
globalThis.sabwayGodotMemory ??= (buffer) => {
  const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2)
  const bytes = new Uint8Array(buffer)
  return {
    load: (at) => Atomics.load(words, at >>> 2) >>> 0,
    store: (at, value) => void Atomics.store(words, at >>> 2, value),
    add: (at, value) => void Atomics.add(words, at >>> 2, value),
    read: (at, length) => btoa(String.fromCharCode(...bytes.slice(at, at + length))),
    write: (at, text) => bytes.set(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), at),
    now: () => String(Date.now()),
  }
}
"""

var _page

func _init(bridge, queue):
	bridge.eval(MEMORY, true)
	_page = bridge.get_interface("window").sabwayGodotMemory(queue)

func load_word(at):
	return int(_page.load(at))

func store_word(at, value):
	_page.store(at, value)

func add_to_word(at, value):
	_page.add(at, value)

func read_bytes(at, length):
	return Marshalls.base64_to_raw(_page.read(at, length))

func write_bytes(at, bytes):
	_page.write(at, Marshalls.raw_to_base64(bytes))

# As text: a bridge may have numbers of 32 bits.
func now():
	return int(_page.now())
