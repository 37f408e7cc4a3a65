# An engine that sends back what it receives, its bytes in reverse: of a file that peer.c fills
# meanwhile. godot3-server -s echo.gd <file> <bytes of a slot> <messages>
extends MainLoop

const P2PQueue = preload("p2p_queue.gd")
const Memories = preload("memories.gd")

var queue
var waiting = []
var left

func _initialize():
	var arguments = OS.get_cmdline_args()
	var memory = Memories.Shared.new()
	memory.path = arguments[-3]
	left = int(arguments[-1])
	queue = P2PQueue.new(memory, 16, int(arguments[-2]))

func _idle(_delta):
	waiting += queue.read(5)
	while not waiting.empty():
		var message = waiting[0]
		var data = message.data
		data.invert()
		if not queue.write(data, message.channel, message.from):
			break
		waiting.pop_front()
		left -= 1
	if queue.skipped + queue.bad > 0:
		printerr("skipped ", queue.skipped, ", bad ", queue.bad)
		OS.exit_code = 1
		return true
	return left == 0
