# Memories for examples/godot/p2p_queue.gd outside of a page, in Godot 3.

class Words:
	func word_of(array):
		return array[0] | (array[1] << 8) | (array[2] << 16) | (array[3] << 24)

	func array_of(value):
		return PoolByteArray([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff])

	# The two that each memory has.
	func read_bytes(_at, _length):
		return PoolByteArray()

	func write_bytes(_at, _written):
		pass

	func load_word(at):
		return word_of(read_bytes(at, 4))

	func store_word(at, value):
		write_bytes(at, array_of(value))

	func add_to_word(at, value):
		store_word(at, load_word(at) + value)

# Of this program alone.
class Private:
	extends Words
	var array = PoolByteArray()

	func read_bytes(at, length):
		return array.subarray(at, at + length - 1) if length > 0 else PoolByteArray()

	func write_bytes(at, written):
		for i in range(written.size()):
			array[at + i] = written[i]

# A file that another process has mapped. It is opened for each call: what stays open has a buffer,
# in which old bytes are seen again.
class Shared:
	extends Words
	var path

	func read_bytes(at, length):
		var file = _open(at)
		var result = file.get_buffer(length)
		file.close()
		return result

	func write_bytes(at, written):
		var file = _open(at)
		file.store_buffer(written)
		file.close()

	func _open(at):
		var file = File.new()
		file.open(path, File.READ_WRITE)
		file.seek(at)
		return file

	func now():
		return OS.get_system_time_msecs()
