# Messages between peers for Godot 3.4 and later, exported for the Web: an autoload (Project > Project Settings > AutoLoad)
# with the name P2P. The page has a P2PManager that is exposed under the usual names: README.md.
#
#   P2P.connect_channel(0)
#   P2P.send(0, data, false)                 to all peers, and may be lost
#   P2P.send(1, data, true, "alice")         to one, for certain
extends Node

# Each frame, for each message of the channels that are connected.
signal message_received(from, channel, data)

const P2PQueue = preload("p2p_queue.gd")
const PageMemory = preload("page_memory.gd")

# A frame shows at most that many messages of a channel.
var budget = 256

var _queues = {}

# False where the page has no manager: outside of a browser, or too early.
func connect_channel(channel):
	if _queues.has(channel):
		return true
	if not OS.has_feature("JavaScript"):
		return false
	var sdk = _sdk()
	if sdk == null:
		return false
	var bridge = Engine.get_singleton("JavaScript")
	_queues[channel] = P2PQueue.new(PageMemory.new(bridge, sdk.getP2PChannelQueue(channel)))
	return true

# To one peer, or to all. False: the queue is full, the data (PoolByteArray) are more than
# a slot has room for, or the network has dropped something; stats() of the manager say why.
func send(channel, data, reliable, target = null):
	if not connect_channel(channel) or not _queues[channel].write(data, channel):
		return false
	return _sdk().sendP2PMessage(target, channel, reliable)

func _process(_delta):
	for channel in _queues.keys():
		for message in _queues[channel].read(budget):
			emit_signal("message_received", message.from, channel, message.data)

func _sdk():
	return Engine.get_singleton("JavaScript").get_interface("window").WavedashJS
