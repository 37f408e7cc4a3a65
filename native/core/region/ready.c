/* Ready sets: marks that any participant makes and the owner of the endpoint takes.
 *
 * A slot is one bit of a word, and each word has one bit in `some`, so that the owner finds a mark
 * among 4,096 slots by two looks:
 *
 *   a waker                                       the owner
 *     publish the work                              exchange some -> 0                 [Y2]
 *     fence                        [F2]             for each of its bits:
 *     word |= the slot's bit       [Y1]               exchange word -> 0               [Y1]
 *     some |= the word's bit       [Y2]             fence                              [F6]
 *     fence                        [F5]             look at what the slots stand for
 *     look whether armed
 *
 *   slot's bit   word's bit   state     next
 *   0            any          clear     waker: -> half
 *   1            0            half      waker: -> marked
 *                                       owner, for another slot of the word: -> clear, taken
 *   1            1            marked    owner: -> half, then clear, taken
 *
 * Bits that are set already are left: a stream to an idle channel costs loads alone. That loses
 * nothing. A waker that finds the slot's bit set comes before the owner's exchange of the word, and
 * the fences [F2] and [F6] let the owner see the work behind that exchange. Should the word's bit,
 * which it finds set, be one that the owner has taken by then, the waker that set the slot's bit
 * sets it again: each waker that sets the one sets the other.
 *
 * Ordering edges:
 *   [Y1] the slot's bit pairs with the exchange of the word
 *   [Y2] the word's bit pairs with the exchange of `some`: an owner that sees it sees [Y1]
 *   [F5] fence pairs with [F1] in doorbell.c: mark, then look whether armed; arm, then look for
 *        marks
 *   [F6] fence pairs with [F2] in ring.c, and with the other fences behind which slots are marked:
 *        take the mark, then look for work; publish work, then look for the mark
 *
 * What a crash leaves:
 *   a waker, between [Y1] and [Y2]   half a mark: the next waker of the slot does the rest
 *   a waker, before it rings         a mark that the owner finds at its next look
 *   the owner                        marks for the next owner, which finds nothing behind them
 * In the first two cases the dead waker is evicted, which marks the slots of its peers, and wakes
 * them by every means. */
#include "sabway/ready.h"

#include "base/peer.h"

static sw_ready *ready_at(const void *base, uint32_t index) {
  return (sw_ready *)(void *)((uint8_t *)base + SW_READY_AT) + index;
}

/* A message to an awake consumer does not come by, and a page loads it once. */
__attribute__((noinline)) void sw_ready_mark(void *base, uint32_t index, uint32_t slot);

void sw_ready_mark(void *base, uint32_t index, uint32_t slot) {
  sw_ready *ready = ready_at(base, index);
  if (slot >= SW_READY_SLOTS) slot = SW_READY_ALL;
  uint64_t *word = &ready->word[slot / 64];
  uint64_t bit = UINT64_C(1) << slot % 64, bit_of_word = UINT64_C(1) << slot / 64;
  if ((sw_peer_load64_relaxed(word) & bit) == 0) {
    sw_fetch_or64_acq_rel(word, bit); /* [Y1] */
  } else if ((sw_peer_load64_relaxed(&ready->some) & bit_of_word) != 0) {
    return;
  }
  sw_fetch_or64_acq_rel(&ready->some, bit_of_word); /* [Y2] */
  sw_fence_handshake();                             /* [F5] */
}

int sw_ready_some(const void *base, uint32_t index) {
  return sw_peer_load64_relaxed(&ready_at(base, index)->some) != 0;
}

uint32_t sw_ready_take(void *base, uint32_t index, uint32_t *slots, uint32_t most) {
  sw_ready *ready = ready_at(base, index);
  if (!sw_ready_some(base, index)) return 0;
  uint64_t some = sw_exchange64_acq_rel(&ready->some, 0); /* [Y2] */
  uint32_t taken = 0;
  for (; some != 0 && taken < most; some &= some - 1) {
    uint32_t at = (uint32_t)__builtin_ctzll(some);
    uint64_t bits = sw_exchange64_acq_rel(&ready->word[at], 0); /* [Y1] */
    for (; bits != 0 && taken < most; bits &= bits - 1) slots[taken++] = at * 64 + (uint32_t)__builtin_ctzll(bits);
    if (bits == 0) continue;
    sw_fetch_or64_acq_rel(&ready->word[at], bits);
    break; /* with its bit still in `some` */
  }
  if (some != 0) sw_fetch_or64_acq_rel(&ready->some, some);
  sw_fence_handshake(); /* [F6] */
  return taken;
}
