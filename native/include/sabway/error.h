/* Errors: one table, read by C, by the C++ binding and (through abi/) by TypeScript.
 *
 * A core function that can fail returns one of these negative numbers; zero or more is success. The
 * string is what JavaScript sees as `error.code`; the sentence is the part of the message that does
 * not depend on the call. */
#ifndef SABWAY_ERROR_H
#define SABWAY_ERROR_H

#define SW_ERROR_TABLE(X)                                                                                          \
  X(SW_EINVAL, -1, "ERR_SABWAY_INVALID_ARGUMENT", "an argument has a value that is not allowed here")              \
  X(SW_ETYPE, -2, "ERR_SABWAY_INVALID_TYPE", "an argument has the wrong type")                                     \
  X(SW_ERANGE, -3, "ERR_SABWAY_OUT_OF_RANGE", "a number is not an integer in the allowed range")                   \
  X(SW_EFULL, -4, "ERR_SABWAY_FULL", "the ring has no room for this message until its consumer releases some")     \
  X(SW_ETOOBIG, -5, "ERR_SABWAY_MESSAGE_TOO_LARGE", "the message is larger than the whole ring")                   \
  X(SW_ECLOSED, -6, "ERR_SABWAY_CLOSED", "the channel is closed")                                                  \
  X(SW_ETAKEN, -7, "ERR_SABWAY_SIDE_TAKEN", "another live participant already holds this side of the channel")     \
  X(SW_ENOTREGION, -8, "ERR_SABWAY_NOT_A_REGION", "this memory was not made by Sabway, or is not ready yet")       \
  X(SW_ELAYOUT, -9, "ERR_SABWAY_LAYOUT_MISMATCH", "the region was made by a build with another memory layout")     \
  X(SW_ECORRUPT, -10, "ERR_SABWAY_CORRUPT", "the peer left values in the shared memory that cannot be right")      \
  X(SW_ETIMEDOUT, -11, "ERR_SABWAY_TIMEOUT", "the time given ran out")                                             \
  X(SW_EABORTED, -12, "ERR_SABWAY_ABORTED", "the AbortSignal was aborted")                                         \
  X(SW_ESTATE, -13, "ERR_SABWAY_INVALID_STATE", "the call does not fit what the channel is doing now")             \
  X(SW_ECROWDED, -14, "ERR_SABWAY_TOO_MANY_PARTICIPANTS", "every endpoint of the region is taken")                 \
  X(SW_ENOMEM, -15, "ERR_SABWAY_OUT_OF_MEMORY", "out of memory")                                                   \
  X(SW_ESYSTEM, -16, "ERR_SABWAY_SYSTEM", "the operating system refused a call")                                   \
  X(SW_ENOPLUGIN, -17, "ERR_SABWAY_PLUGIN_NOT_FOUND", "the plugin file could not be loaded")                       \
  X(SW_ESYMBOL, -18, "ERR_SABWAY_PLUGIN_SYMBOL", "the file exports no sabway_plugin symbol")                       \
  X(SW_EPLUGINABI, -19, "ERR_SABWAY_PLUGIN_ABI", "the plugin was built for another version of the plugin ABI")     \
  X(SW_EOPEN, -20, "ERR_SABWAY_PLUGIN_OPEN", "the plugin's open function reported a failure")                      \
  X(SW_EPLUGIN, -21, "ERR_SABWAY_PLUGIN_FAILED", "the plugin reported a failure while it ran")                     \
  X(SW_ENOADDON, -22, "ERR_SABWAY_NO_ADDON", "this needs the native addon, which could not be loaded here")        \
  X(SW_ETOKEN, -23, "ERR_SABWAY_INVALID_TOKEN", "not a valid token for this version of Sabway")                    \
  X(SW_EGONE, -24, "ERR_SABWAY_REGION_GONE", "the token's process has ended, or has closed the region")            \
  X(SW_ESTALE, -25, "ERR_SABWAY_STALE_TOKEN", "what the token names has become something else")                    \
  X(SW_ESIZE, -26, "ERR_SABWAY_SIZE_MISMATCH", "the size of the shared memory does not match the token")           \
  X(SW_EACCESS, -27, "ERR_SABWAY_NOT_PERMITTED", "access to the shared memory is denied")                          \
  X(SW_EEXIST, -28, "ERR_SABWAY_NAME_TAKEN", "something of that name exists and is in use")                        \
  X(SW_EOVERLAY, -29, "ERR_SABWAY_OVERLAY_REFUSED", "this memory must not be mapped over")                         \
  X(SW_ENOSYS, -30, "ERR_SABWAY_UNSUPPORTED", "this system or JavaScript scope has no way to do that")             \
  X(SW_EPEERDIED, -31, "ERR_SABWAY_PEER_DIED", "the other side ended without closing")                             \
  X(SW_EENCODE, -32, "ERR_SABWAY_NOT_ENCODABLE", "a value cannot be encoded")                                      \
  X(SW_EDECODE, -33, "ERR_SABWAY_NOT_DECODABLE", "a message cannot be decoded")                                    \
  X(SW_ENOWASM, -34, "ERR_SABWAY_NO_WASM", "WebAssembly cannot be used here")                                      \
  X(SW_ENOTISOLATED, -35, "ERR_SABWAY_NOT_ISOLATED", "shared memory cannot be posted from here")                   \
  X(SW_EFILES, -36, "ERR_SABWAY_TOO_MANY_FILES", "no file descriptor is left")                                     \
  X(SW_ENAMESPACE, -37, "ERR_SABWAY_OTHER_NAMESPACE", "the processes are in different pid namespaces")             \
  X(SW_EQUEUEFULL, -38, "ERR_SABWAY_QUEUE_FULL", "the queue of messages that wait for room is full")               \
  X(SW_ENOTLOADED, -39, "ERR_SABWAY_NOT_LOADED", "this part of Sabway was not loaded here")                        \
  X(SW_EREPLACED, -40, "ERR_SABWAY_REPLACED", "another participant has taken this side over")                      \
  X(SW_EOWNERDEAD, -41, "ERR_SABWAY_OWNER_DIED", "the lock is held now, and its last owner ended with it")         \
  X(SW_EPOISONED, -42, "ERR_SABWAY_POISONED", "what the lock protects was left broken by one that died")           \
  X(SW_EBUSY, -43, "ERR_SABWAY_BUSY", "another participant holds the lock")                                        \
  X(SW_EHEAPFULL, -44, "ERR_SABWAY_HEAP_FULL", "the heap has no room for this block")                              \
  X(SW_EDOUBLEFREE, -45, "ERR_SABWAY_DOUBLE_FREE", "the block is free already")                                    \
  X(SW_EWILD, -46, "ERR_SABWAY_WILD_POINTER", "no block of the heap begins there")                                 \
  X(SW_EKIND, -47, "ERR_SABWAY_OTHER_KIND", "the name is that of an object of another kind")                       \
  X(SW_EFREED, -48, "ERR_SABWAY_FREED", "the object was freed")                                                    \
  X(SW_EUNDO, -49, "ERR_SABWAY_TOO_MANY_CHANGES", "the undo log has no room for another change")                   \
  X(SW_EBROKEN, -52, "ERR_SABWAY_BROKEN", "a member of the barrier or wait group has ended without its part")      \
  X(SW_ENOTSUBSCRIBED, -58, "ERR_SABWAY_NOT_SUBSCRIBED", "this thread does not subscribe to the broadcast")        \
  X(SW_EPOOLEMPTY, -62, "ERR_SABWAY_POOL_EMPTY", "all of the pool is handed out, and it may not grow")             \
  X(SW_ERELEASED, -63, "ERR_SABWAY_RELEASED", "it was given back to its pool before")                              \
  X(SW_ENOTHELD, -64, "ERR_SABWAY_NOT_HELD", "the caller did not get it from this pool, or has handed it on")      \
  X(SW_ELIMIT, -65, "ERR_SABWAY_TOO_MANY_BUFFERS", "the manager has as many buffers as it may have")               \
  X(SW_EFORGED, -66, "ERR_SABWAY_FORGED", "a message was not encrypted with this key for this place")              \
  X(SW_EPACKED, -67, "ERR_SABWAY_NOT_COMPRESSED", "a message is not what a compressing codec wrote")               \
  X(SW_EEXPANDS, -68, "ERR_SABWAY_EXPANDS_TOO_MUCH", "a message has more bytes than is allowed when decompressed") \
  X(SW_ETRANSPORT, -70, "ERR_SABWAY_TRANSPORT", "the network between peers failed")                                \
  X(SW_EEXPELLED, -71, "ERR_SABWAY_PEER_EXPELLED", "a peer does not keep to the protocol between peers")

enum sw_error {
  SW_OK = 0,
#define SWI_ENUM(name, number, code, text) name = (number),
  SW_ERROR_TABLE(SWI_ENUM)
#undef SWI_ENUM
};

/* The stable `error.code` of an error number, or "ERR_SABWAY_UNKNOWN". Any thread, wait-free. */
static inline const char *sw_error_code(int error) {
  switch (error) {
#define SWI_CASE(name, number, code, text) \
  case (number):                           \
    return (code);
    SW_ERROR_TABLE(SWI_CASE)
#undef SWI_CASE
    default:
      return "ERR_SABWAY_UNKNOWN";
  }
}

/* The fixed sentence of an error number. Any thread, wait-free. */
static inline const char *sw_error_text(int error) {
  switch (error) {
#define SWI_CASE(name, number, code, text) \
  case (number):                           \
    return (text);
    SW_ERROR_TABLE(SWI_CASE)
#undef SWI_CASE
    default:
      return "unknown error";
  }
}

#endif
