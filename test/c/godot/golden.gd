# The table of golden bytes, called from Godot: godot3-server -s golden.gd <table>
extends SceneTree

const P2PQueue = preload("p2p_queue.gd")
const Memories = preload("memories.gd")

const VERSION = 12
const HEADER = 16

var memory
var expected
var sides # by direction: which reads it, which writes it
var written
var cases = 0
var compared = 0
var failures = 0

func _init():
	var table = File.new()
	table.open(OS.get_cmdline_args()[-1], File.READ)
	while not table.eof_reached():
		var words = table.get_line().split(" ")
		match words[0]:
			"queue":
				_compare()
				_begin(int(words[1]), int(words[2]), int(words[3]), words[4] == "1")
			"write":
				_write(int(words[1]), words[2], int(words[3]), int(words[4]), _from_hex(words[5]))
			"consume":
				_consume(int(words[1]))
			"at":
				var bytes = _from_hex(words[2])
				for i in range(bytes.size()):
					expected[int(words[1]) + i] = bytes[i]
	_compare()
	print("golden: ", cases, " cases, ", compared, " compared, ", failures, " failures")
	quit(0 if cases == 8 and compared == 8 and failures == 0 else 1)

func _begin(slots, slot_bytes, version, single):
	cases += 1
	var length = HEADER + slots * slot_bytes
	expected = P2PQueue.bytes(length if single else 2 * length)
	for i in range(expected.size()):
		expected[i] = 0
	memory = Memories.Private.new()
	memory.array = expected
	for at in ([VERSION] if single else [VERSION, HEADER + VERSION]):
		memory.store_word(at, version)
	var engine = P2PQueue.new(memory, slots, slot_bytes, single)
	var network = engine if single else P2PQueue.new(memory, slots, slot_bytes, false, true)
	sides = [{ "reads": engine, "writes": network }, { "reads": network, "writes": engine }]
	written = [[], []]

func _write(direction, id, channel, timestamp, data):
	var from = "" if id == "-" else id
	_expect(sides[direction].writes.write(data, channel, from, timestamp), true)
	written[direction].append([from, channel, timestamp, data])

func _consume(direction):
	var messages = sides[direction].reads.read(1)
	_expect(messages.size(), 1)
	for message in messages:
		var wanted = written[direction].pop_front()
		_expect([message.from, message.channel, Array(message.data)], [wanted[0], wanted[1], Array(wanted[3])])
		_expect(message.timestamp == wanted[2] or message.timestamp == 0, true)

func _compare():
	if cases == 0:
		return
	compared += 1
	for i in range(expected.size()):
		if memory.array[i] != expected[i]:
			_expect("case %d, byte %d: %d" % [cases, i, memory.array[i]], str(expected[i]))
			return

func _expect(actual, wanted):
	if actual == wanted:
		return
	failures += 1
	printerr("expected ", wanted, ", is ", actual)

func _from_hex(text):
	var bytes = PoolByteArray()
	if text != "-":
		for i in range(0, text.length(), 2):
			bytes.append(("0x" + text.substr(i, 2)).hex_to_int())
	return bytes
