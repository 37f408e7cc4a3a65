# A queue of messages between peers, byte by byte: the engine's side of it, which reads what comes
# from the network and writes what goes there. docs/guide/p2p.md has the tables of bytes.
#
#   const P2PQueue = preload("p2p_queue.gd")
#   var queue = P2PQueue.new(memory)
#   for message in queue.read(100): print(message.from, message.channel, message.data)
#   queue.write(data)          false: the queue is full, or the data are more than queue.most()
#
# This is the only file that knows the bytes, and Godot 3 and Godot 4 both run it: nothing here has
# a name that only one of them knows. That leaves out the types of byte arrays (PoolByteArray,
# PackedByteArray), what cuts and converts them (subarray, slice, to_utf8, to_utf8_buffer), setget,
# yield, await, signals that are connected, and export. Byte arrays are made by Marshalls instead.
#
# `memory` is where the queue lies:
#
#   load_word(at)             32 bits at an offset, a multiple of 4, which the other side changes
#   store_word(at, value)     the other side sees all that was written before when it sees this
#   add_to_word(at, value)    one step where memory has such; else the other side mends the count
#   read_bytes(at, length)    a copy
#   write_bytes(at, bytes)
#   now()                     milliseconds since 1970

const HEADER = 16
const WRITE_INDEX = 0
const READ_INDEX = 4
const MESSAGE_COUNT = 8
const VERSION = 12
const TIMED = 2 # a version
const FROM = 32 # bytes of an id
const CHANNEL = 32

# Messages of wrong sizes, which were passed over; indices that cannot be right; messages that
# there was no room for.
var skipped = 0
var bad = 0
var refused = 0

var _memory
var _slots
var _slot_bytes
var _in_header
var _in_slots
var _out_header
var _out_slots
var _head # bytes before the data of a message
var _read_index
var _write_index

# As the queue was made; `mirrored` is the network's side of it.
func _init(memory, slots = 256, slot_bytes = 1024, single = false, mirrored = false):
	_memory = memory
	_slots = slots
	_slot_bytes = slot_bytes
	var first = HEADER if single else 2 * HEADER
	var headers = [0, 0 if single else HEADER]
	var places = [first, first if single else first + slots * slot_bytes]
	var incoming = 1 if mirrored else 0
	_in_header = headers[incoming]
	_in_slots = places[incoming]
	_out_header = headers[1 - incoming]
	_out_slots = places[1 - incoming]
	_head = 48 if _memory.load_word(VERSION) == TIMED else 40
	_read_index = _memory.load_word(_in_header + READ_INDEX) % slots
	_write_index = _memory.load_word(_out_header + WRITE_INDEX) % slots

# The most bytes of data in a message.
func most():
	return _slot_bytes - 4 - _head

# Up to `limit` messages: { from, channel, timestamp, data }.
func read(limit = 256):
	var messages = []
	# More than that is not there at once.
	for _round in range(_slots):
		if messages.size() >= limit:
			break
		var write_index = _memory.load_word(_in_header + WRITE_INDEX)
		if write_index >= _slots:
			bad += 1
			break
		var slot = _in_slots + _read_index * _slot_bytes
		# The same index means an empty queue, or a full one, which others' writers leave.
		if write_index == _read_index and _memory.load_word(_in_header + MESSAGE_COUNT) < _slots:
			break
		var size = _memory.load_word(slot)
		if write_index == _read_index and size == 0:
			break
		var message = _message(slot + 4, size)
		if message == null:
			skipped += 1
		else:
			messages.append(message)
		# The slot is the writer's again when it sees the index.
		_memory.store_word(slot, 0)
		_read_index = (_read_index + 1) % _slots
		_memory.store_word(_in_header + READ_INDEX, _read_index)
		_memory.add_to_word(_in_header + MESSAGE_COUNT, -1)
	return messages

# Write a message: false when the queue is full, or when the data are more than most().
func write(data, channel = 0, from = "", timestamp = null):
	if data.size() > most():
		return false
	var next = (_write_index + 1) % _slots
	# One slot stays free.
	if next == _memory.load_word(_out_header + READ_INDEX):
		refused += 1
		return false
	# An Array first: it is passed by reference in both Godots, and arrays of bytes are not.
	var head = []
	_append_word(head, _head + data.size())
	var id = _id(from)
	for i in range(FROM):
		head.append(id[i] if i < id.size() else 0)
	_append_word(head, channel)
	if _head == 48:
		var time = _memory.now() if timestamp == null else timestamp
		_append_word(head, time)
		_append_word(head, time >> 32)
	_append_word(head, data.size())
	var slot = bytes(head.size())
	for i in range(head.size()):
		slot[i] = head[i]
	slot.append_array(data)
	_memory.write_bytes(_out_slots + _write_index * _slot_bytes, slot)
	_write_index = next
	_memory.store_word(_out_header + WRITE_INDEX, next)
	_memory.add_to_word(_out_header + MESSAGE_COUNT, 1)
	return true

# An array of bytes, as this Godot has it. Its bytes are to be set.
static func bytes(length):
	var array = Marshalls.base64_to_raw("AA==")
	array.resize(length)
	return array

# Null where no message lies that is inside the slot.
func _message(at, size):
	if size < _head or size > _slot_bytes - 4:
		return null
	var head = _memory.read_bytes(at, _head)
	var length = _word(head, _head - 4)
	if length > size - _head:
		return null
	var message = { "channel": _word(head, CHANNEL), "timestamp": 0 }
	if _head == 48:
		message.timestamp = _word(head, CHANNEL + 4) | (_word(head, CHANNEL + 8) << 32)
	message.data = _memory.read_bytes(at + _head, length)
	var letters = 0
	while letters < FROM and head[letters] != 0:
		letters += 1
	head.resize(letters)
	message.from = head.get_string_from_utf8()
	return message

static func _id(from):
	if from == "":
		return []
	var id = Marshalls.base64_to_raw(Marshalls.utf8_to_base64(from))
	if id.size() > FROM:
		id.resize(FROM)
	return id

static func _word(array, at):
	return array[at] | (array[at + 1] << 8) | (array[at + 2] << 16) | (array[at + 3] << 24)

static func _append_word(array, value):
	for i in range(4):
		array.append((value >> (8 * i)) & 0xff)
