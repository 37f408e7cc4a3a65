/* What makes room: with SW_MAP_LRU entries that were not used for long, with SW_MAP_TTL those that
 * have expired. A hand goes round the buckets. Of each bucket two bits say how much it was used: a
 * reader sets them to the most, a new entry to the least, and the hand counts them down; where they
 * are zero, the oldest entry goes. So what goes was not used for long, though not for the longest.
 *
 * Marks and hand are hints: what a crash or a race loses of them makes the choice worse. */
#include "core/map/map.h"

enum { MOST = 3, STEPS = 2 /* of the hand, for each entry that is added */ };

/* Where the marks of a table are, or zero. */
static uint32_t marks_of(const sw_map_handle *m, const swi_table *table) {
  if (table->at == m->table) return m->marks;
  uint32_t at = sw_peer_load_relaxed(&swi_table_header(table->bucket)->marks);
  return at % 8 == 0 && swi_map_inside(m, at, (uint64_t)((1u << table->log2) / 16 + 1) * 8) ? at : 0;
}

/* Counts the mark of a bucket to `to`, which depends on what it was. */
static uint32_t change_mark(const sw_map_handle *m, const swi_spot *spot, uint32_t (*to)(uint32_t)) {
  uint32_t marks = marks_of(m, &spot->table), index = (uint32_t)(spot->bucket - spot->table.bucket);
  if (marks == 0) return 0;
  uint64_t *word = swi_map_word(m, marks + index / 16 * 8), old = sw_peer_load64_relaxed(word);
  uint32_t shift = index % 16 * 2, mark = (uint32_t)old >> shift & 3, wanted = to(mark);
  if (old >> 32 != spot->table.at || wanted == mark) return mark;
  uint64_t value = (old & ~((uint64_t)3 << shift)) | (uint64_t)wanted << shift;
  /* or another has marked a neighbour: a hint is lost */
  sw_compare_exchange64_acq_rel(word, &old, value);
  return mark;
}

static uint32_t same(uint32_t mark) { return mark; }
static uint32_t used(uint32_t mark) { return (void)mark, MOST; }
static uint32_t new_one(uint32_t mark) { return mark == 0 ? 1 : mark; }
static uint32_t passed(uint32_t mark) { return mark == 0 ? 0 : mark - 1; }

void swi_map_mark(sw_map_handle *m, const swi_spot *spot, bool added) {
  if (added) change_mark(m, spot, new_one);
  else change_mark(m, spot, used);
}

void swi_map_mark_child(sw_map_handle *m, const swi_spot *parent, const swi_spot *child) {
  uint32_t mark = change_mark(m, parent, same);
  if (mark > 1) change_mark(m, child, used);
  else if (mark == 1) change_mark(m, child, new_one);
}

/* The place of the hand, which moves on. */
static uint32_t next_hand(const sw_map_handle *m) {
  uint64_t *hand = &((sw_map_slots *)(void *)(m->base + m->slots))->hand;
  uint64_t old = sw_peer_load64_relaxed(hand);
  if (old >> 32 != m->slots) return (uint32_t)old;
  sw_compare_exchange64_acq_rel(hand, &old, swi_word_owned(m->slots, (uint32_t)old + 1));
  return (uint32_t)old;
}

/* The entries of the bucket that the hand is at. */
static bool see(sw_map_handle *m, uint32_t hash, swi_spot *spot, swi_content *content) {
  return swi_table_find(m, hash, true, spot) == SW_OK && swi_content_of(m, spot->word, content) == SW_OK &&
         content->count != 0;
}

int swi_map_drop_expired(sw_map_handle *m, uint32_t hash) {
  swi_spot spot;
  swi_content content;
  int dropped = 0;
  for (uint32_t i = 0; see(m, hash, &spot, &content) && i < content.count;) {
    swi_found found;
    found.at = (uint32_t)swi_content_pair(m, &content, i);
    bool there = found.at % SW_HEAP_UNIT == 0 && swi_map_inside(m, found.at, sizeof(sw_map_entry) + 8);
    if (there) found.shape = swi_map_part(swi_map_look(m, found.at));
    if (!there || !swi_entry_expired(m, &found)) {
      i++;
      continue;
    }
    if (swi_map_remove(m, &spot, &content, i) != 1) break;
    dropped++;
  }
  return dropped;
}

static bool evict_one(sw_map_handle *m) {
  for (uint32_t steps = 0; steps < 8 * (m->mask + 1); steps++) {
    swi_spot spot;
    swi_content content;
    if (!see(m, next_hand(m), &spot, &content) || change_mark(m, &spot, passed) != 0) continue;
    if (swi_map_remove(m, &spot, &content, 0) == 1) return true;
  }
  return false;
}

void swi_map_make_room(sw_map_handle *m) {
  if ((m->flags & SW_MAP_TTL) != 0) {
    for (int i = 0; i < STEPS; i++) swi_map_drop_expired(m, next_hand(m));
  }
  if ((m->flags & SW_MAP_LRU) == 0) return;
  /* Of two that add an entry at once the later sees both counted, so that none stays too many. */
  sw_fence_handshake();
  for (uint32_t i = 0; sw_map_size(m) > m->most && i < 64; i++) {
    if (!evict_one(m)) return;
  }
}
