/* The heap: a slab's blocks are handed out once, whatever dies; pages go from one to the next; and
 * what is freed while the lock is held is not lost.
 *
 * The heap is the last 64 KiB of the region: seven pages. Thread n is process n + 1, endpoint n. */
#include <string.h>

#include "core/heap/heap.h"
#include "scenes.h"

enum { HALF = SW_HEAP_CLASSES - 1 /* two blocks a slab, so one word of bits */ };

static struct {
  sw_heap heap[3];
  uint32_t page;
  uint32_t block[2];
  uint32_t got[3];   /* blocks that a thread has now, as bits; or pages */
  uint32_t freed[3]; /* statuses */
  uint32_t ended;    /* bit 0: thread 0 ran to its end */
} h;

static uint8_t *base(void) { return model_region(); }

static void setup(void) {
  world_empty();
  memset(&h, 0, sizeof(h));
  model_snapshot(&h, sizeof(h));
  model_snapshot(base() + SW_HEAP_AT, 3 * SW_LINE + 4096); /* finish takes the lock, too */
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&h.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    h.heap[i].shares = 0; /* slabs have owners, as in a large heap */
  }
}

static uint32_t *bytes_of(uint32_t at) { return (uint32_t *)(void *)(base() + at); }

/* A block is used by whichever has it: two at once are a race. */
static void use(uint32_t at) { model_data_write(bytes_of(at), at); }

static uint32_t bit_of(uint32_t at) { return 1u << (at % SW_HEAP_PAGE / SW_HEAP_SMALL); }

static sw_slab *slab(void) { return &h.heap[0].slabs[h.page]; }

/* ---- a slab: its owner, a participant that frees, and one that adopts ---- */

static void setup_slab(void) {
  setup();
  for (int i = 0; i < 2; i++) h.block[i] = sw_heap_alloc(&h.heap[0], SW_HEAP_SMALL);
  h.page = h.heap[0].classes[HALF].page;
  model_check(h.page != SWI_NO_PAGE && h.block[0] / SW_HEAP_PAGE == h.block[1] / SW_HEAP_PAGE);
}

static void take_one(int thread) {
  uint32_t at = swi_slab_alloc_in(&h.heap[thread], HALF, h.page);
  if (at == 0) return;
  use(at);
  model_check((h.got[thread] & bit_of(at)) == 0);
  h.got[thread] |= bit_of(at);
  model_mark(thread == 0 ? FIRST : SECOND);
}

static void owner_takes(void) {
  take_one(0);
  take_one(0);
  h.ended |= 1;
}

static void other_frees(void) {
  for (int i = 0; i < 2; i++) {
    swi_place place = {h.page, HALF, 0, (uint32_t)i};
    use(h.block[i]);
    model_check(swi_slab_free(&h.heap[1], &place) == SW_OK);
  }
}

static void other_frees_one(void) {
  swi_place place = {h.page, HALF, 0, 0};
  use(h.block[0]);
  model_check(swi_slab_free(&h.heap[1], &place) == SW_OK);
}

static void two_free_the_same(int thread) {
  swi_place place = {h.page, HALF, 0, 0};
  h.freed[thread] = swi_slab_free(&h.heap[thread], &place) == SW_OK;
}
static void first_frees_the_same(void) { two_free_the_same(1); }
static void second_frees_the_same(void) { two_free_the_same(2); }

static void one_was_told(void) {
  model_check(h.freed[1] + h.freed[2] == 1);
  model_mark(h.freed[1] != 0 ? FIRST : SECOND);
}

static void adopter(void) {
  if (!swi_slab_adopt(&h.heap[2], h.page, HALF, SWI_ASK)) {
    model_mark(REFUSED);
    return;
  }
  model_mark(BOTH);
  take_one(2);
  take_one(2);
}

/* Blocks that it allocates without a look at what others have freed. */
static void adopter_frees(void) {
  if (!swi_slab_adopt(&h.heap[2], h.page, HALF, SWI_ASK)) return;
  swi_place place = {h.page, HALF, 0, 1};
  model_check(swi_slab_free(&h.heap[2], &place) == SW_OK);
  uint32_t at = swi_slab_alloc(&h.heap[2], HALF, SW_HEAP_UNIT);
  use(at);
  h.got[2] = bit_of(at);
  model_mark(at == h.block[0] ? FIRST : SECOND);
  take_one(2);
}

/* Bits that are used, and the others': none twice, and one too many at most when the owner died. */
static void blocks_add_up(void) {
  uint32_t used = slab()->used[0] & ~slab()->freed[0] & 3, got = h.got[0] | h.got[2];
  if ((h.ended & 1) != 0) model_check((h.got[0] & h.got[2]) == 0);
  else got = h.got[2]; /* what the dead one had in hand is not known */
  model_check((got & ~used) == 0);
  uint32_t more = swi_count_bits(used & ~got);
  model_check(more <= ((h.ended & 1) != 0 ? 0 : swi_count_bits(h.got[0]) + 1));
  if ((h.ended & 1) == 0) model_mark(ENDED);
}

static void blocks_add_up_but_one(void) {
  model_check((slab()->used[0] & 2) != 0); /* the block that was not freed */
  model_check((h.got[0] & 2) == 0 && (h.got[2] & 2) == 0);
  if ((slab()->used[0] & ~slab()->freed[0] & 1) != 0) model_mark(FIRST | SECOND);
}

/* ---- without owners: a participant has the slab for one block ---- */

static void setup_shared_slab(void) {
  setup_slab();
  swi_slab_leave(&h.heap[0], h.page);
}

static void share(int thread) {
  if (!swi_slab_adopt(&h.heap[thread], h.page, HALF, SWI_GLANCE)) {
    model_mark(REFUSED);
    return;
  }
  take_one(thread);
  swi_slab_leave(&h.heap[thread], h.page);
}
static void sharer_0(void) { share(0), h.ended |= 1; }
static void sharer_2(void) { share(2); }

/* ---- pages ---- */

/* All pages are taken but the slab's, which is empty: the next participant can only get that. */
static void setup_last_page(void) {
  setup_slab();
  for (int i = 0; i < 2; i++) model_check(sw_heap_free(&h.heap[0], h.block[i]) == SW_OK);
  while (sw_heap_alloc(&h.heap[1], SW_HEAP_PAGE) != 0) continue;
}

static void owner_gives_the_page(void) {
  use(swi_page_at(&h.heap[0], h.page));
  model_check(swi_runs_free(&h.heap[0], h.page, swi_slab_head(HALF)) == SW_OK);
  h.ended |= 1;
}

static void next_takes_the_page(void) {
  uint32_t page = swi_runs_take(&h.heap[1], 1, 1, SWI_KIND_SLAB + HALF);
  if (page == SWI_NO_PAGE) {
    model_mark(REFUSED);
    return;
  }
  model_check(page == h.page);
  h.got[1] = 1;
  use(swi_page_at(&h.heap[1], page));
  model_mark(FIRST);
}

static void adopter_of_the_page(void) {
  if (!swi_slab_adopt(&h.heap[2], h.page, HALF, SWI_ASK)) return;
  h.got[2] = 1;
  uint32_t at = swi_slab_alloc_in(&h.heap[2], HALF, h.page);
  if (at != 0) use(at);
  model_mark(SECOND);
}

static void one_has_the_page(void) {
  model_check(h.got[1] + h.got[2] <= 1);
  if (h.got[1] + h.got[2] == 1) model_check(slab()->owner == h.heap[h.got[1] != 0 ? 1 : 2].role);
}

/* The next holder of the lock, which is this one, has taken all pages back. */
static void nothing_waits(void) {
  model_check(sw_heap_check(&h.heap[2]) == SW_OK);
  for (uint32_t page = 0; page < h.heap[2].count; page++) {
    model_check(swi_pages_state(h.heap[2].map[page]) != SW_PAGES_GIVEN);
  }
}

/* After all, the heap is whole, whatever waits to be taken back. */
static void pages_add_up(void) {
  one_has_the_page();
  nothing_waits();
  sw_heap_stats stats;
  sw_heap_stats_of(&h.heap[2], &stats);
  uint64_t most = (uint64_t)h.heap[0].count * SW_HEAP_PAGE;
  model_check(stats.pages_bytes == (h.got[1] != 0 ? most : most - SW_HEAP_PAGE));
}

static void setup_run(void) {
  setup();
  h.block[0] = sw_heap_alloc(&h.heap[0], 7 * SW_HEAP_PAGE);
  model_check(h.block[0] != 0);
}

static void free_the_run(int thread) { h.freed[thread] = sw_heap_free(&h.heap[thread], h.block[0]) == SW_OK; }
static void first_frees_the_run(void) { free_the_run(1); }
static void second_frees_the_run(void) { free_the_run(2); }

static void one_freed_the_run(void) {
  one_was_told();
  nothing_waits();
  sw_heap_stats stats;
  sw_heap_stats_of(&h.heap[0], &stats);
  model_check(stats.largest == stats.total);
}

/* ---- the holder of the lock dies ---- */

static void takes_pages(void) {
  uint32_t page = swi_runs_take(&h.heap[0], 2, 1, SWI_KIND_RUN);
  if (page == SWI_NO_PAGE) return;
  h.got[0] = page + 1;
  use(swi_page_at(&h.heap[0], page));
  h.ended |= 1;
}

static void takes_one_page(void) {
  uint32_t page = swi_runs_take(&h.heap[1], 1, 1, SWI_KIND_RUN);
  if (page == SWI_NO_PAGE) {
    model_check(h.heap[1].status == SW_EBUSY);
    model_mark(REFUSED);
    return;
  }
  h.got[1] = page + 1;
  use(swi_page_at(&h.heap[1], page));
  model_mark(FIRST);
}

static void frees_its_run(void) { model_check(sw_heap_free(&h.heap[2], h.block[0]) == SW_OK); }

/* The dead one's pages may be leaked, all or none; nothing else is. */
static void heap_is_whole(void) {
  model_check(sw_heap_check(&h.heap[2]) == SW_OK);
  sw_heap_stats stats;
  sw_heap_stats_of(&h.heap[2], &stats);
  uint64_t known = (uint64_t)(h.got[1] != 0) + (h.got[0] != 0 ? 2 : 0), used = stats.pages_bytes / SW_HEAP_PAGE;
  model_check(used == known || ((h.ended & 1) == 0 && used == known + 2));
  if (used == known + 2) model_mark(ENDED);
  if ((h.ended & 1) == 0) model_mark(SECOND);
}

static void setup_run_of_another(void) {
  setup();
  h.block[0] = sw_heap_alloc(&h.heap[2], 3 * SW_HEAP_PAGE);
  model_check(h.block[0] != 0);
}

/* ---- an owner that has ended ---- */

static void owner_takes_and_ends(void) {
  take_one(0);
  sw_endpoint_release(base(), 0);
  h.ended |= 1;
}

/* One of the two blocks is free. */
static void setup_one_taken(void) {
  setup_slab();
  model_check(sw_heap_free(&h.heap[0], h.block[1]) == SW_OK);
}

static void taken_once(void) { model_check((h.got[0] & h.got[2]) == 0 && (h.got[0] | h.got[2]) == 2); }

static void adopter_at_a_glance(void) {
  if (!swi_slab_adopt(&h.heap[2], h.page, HALF, SWI_GLANCE)) {
    model_mark(REFUSED);
    return;
  }
  model_mark(BOTH);
  take_one(2);
}

/* ---- freed while the lock is held, or was held by one that is dead ---- */

static void setup_all_pages(void) {
  setup();
  h.block[0] = sw_heap_alloc(&h.heap[2], 7 * SW_HEAP_PAGE);
  model_check(h.block[0] != 0 && swi_runs_lock(&h.heap[0]) == SW_OK);
}

static void setup_holder_dead(void) {
  setup_all_pages();
  model_process(1, 10, 1, false);
}

static void setup_no_place(void) {
  setup_all_pages();
  for (uint32_t i = 0; i < SW_HEAP_GIVEN; i++) h.heap[0].control->given[i] = UINT32_MAX;
}

static void setup_two_runs(void) {
  setup();
  for (int i = 0; i < 2; i++) h.block[i] = sw_heap_alloc(&h.heap[2], 2 * SW_HEAP_PAGE);
  model_check(h.block[1] != 0 && swi_runs_lock(&h.heap[0]) == SW_OK);
}

static void holder_unlocks(void) { swi_runs_unlock(&h.heap[0]); }

static void setup_two_runs_no_place(void) {
  setup_two_runs();
  for (uint32_t i = 0; i < SW_HEAP_GIVEN; i++) h.heap[0].control->given[i] = UINT32_MAX;
}

static void uses_and_frees(int thread, uint32_t at) {
  use(at);
  model_check(sw_heap_free(&h.heap[thread], at) == SW_OK);
}
static void frees_first(void) { uses_and_frees(2, h.block[0]); }
static void setup_one_waits(void) {
  setup_two_runs_no_place();
  model_check(sw_heap_free(&h.heap[2], h.block[0]) == SW_OK);
}

static void frees_second(void) { uses_and_frees(1, h.block[1]); }

static void takes_all_pages(void) {
  uint32_t page = swi_runs_take(&h.heap[1], 7, 1, SWI_KIND_RUN);
  if (page == SWI_NO_PAGE) {
    model_mark(REFUSED);
    return;
  }
  h.got[1] = 1;
  use(swi_page_at(&h.heap[1], page));
  model_mark(FIRST);
}

static void holder_unlocks_and_takes(void) {
  swi_runs_unlock(&h.heap[0]);
  uint32_t page = swi_runs_take(&h.heap[0], 7, 1, SWI_KIND_RUN);
  model_mark(page == SWI_NO_PAGE ? REFUSED : FIRST);
  if (page == SWI_NO_PAGE) return;
  h.got[1] = 1;
  use(h.block[0]);
  use(h.block[1]);
}

static void all_or_nothing(void) {
  nothing_waits();
  sw_heap_stats stats;
  sw_heap_stats_of(&h.heap[2], &stats);
  model_check(stats.largest == (h.got[1] != 0 ? 0 : stats.total));
}

static void both_are_back(void) {
  nothing_waits();
  sw_heap_stats stats;
  sw_heap_stats_of(&h.heap[2], &stats);
  model_check(stats.largest == stats.total);
}

/* ---- resized by one, and freed by another: a mistake, which is told and breaks nothing ---- */

static void setup_resize(void) {
  setup();
  h.block[0] = sw_heap_alloc(&h.heap[1], 3 * SW_HEAP_PAGE);
  model_check(h.block[0] != 0);
}

static void resizes(uint32_t pages) {
  uint32_t page = (h.block[0] - h.heap[1].begin) / SW_HEAP_PAGE;
  int status = swi_runs_resize(&h.heap[1], page, swi_pages_word(SW_PAGES_USED, SWI_KIND_RUN, 3), pages);
  model_check(status == SW_OK || status == SW_EDOUBLEFREE || status == SW_EBUSY);
  h.freed[1] = status == SW_OK;
  model_mark(status == SW_OK ? FIRST : status == SW_EBUSY ? REFUSED : SECOND);
}
static void shrinks(void) { resizes(1); }
static void grows(void) { resizes(5); }
static void grows_to_all(void) { resizes(7); }

static void frees_meanwhile(void) {
  int status = sw_heap_free(&h.heap[2], h.block[0]);
  model_check(status == SW_OK || status == SW_EDOUBLEFREE);
  h.freed[2] = status == SW_OK;
}

/* A free that was refused met the other length; the block is there then. */
static void freed_or_there(void) {
  nothing_waits();
  sw_heap_stats stats;
  sw_heap_stats_of(&h.heap[2], &stats);
  model_check(stats.blocks == 1 - h.freed[2]);
  model_check(h.freed[1] + h.freed[2] >= 1);
}

const model_scenario scenes_heap[] = {{.name = "slab: two frees by another, owner collects",
                                       .setup = setup_slab,
                                       .threads = {owner_takes, other_frees},
                                       .finish = blocks_add_up,
                                       .sc = true,
                                       .marks = FIRST},
                                      {.name = "slab: one free by another, owner dies anywhere, adopter",
                                       .setup = setup_slab,
                                       .threads = {owner_takes, other_frees_one, adopter},
                                       .mortal = 1,
                                       .finish = blocks_add_up_but_one,
                                       .marks = FIRST | SECOND | BOTH | REFUSED},
                                      {.name = "slab: two frees by another, owner dies anywhere, adopter",
                                       .setup = setup_slab,
                                       .threads = {owner_takes, other_frees, adopter},
                                       .mortal = 1,
                                       .finish = blocks_add_up,
                                       .marks = FIRST | SECOND | BOTH | REFUSED | ENDED},
                                      {.name = "slab: one free by another, owner dies anywhere, adopter frees",
                                       .setup = setup_slab,
                                       .threads = {owner_takes, other_frees_one, adopter_frees},
                                       .mortal = 1,
                                       .marks = FIRST | SECOND},
                                      {.name = "slab: two others free the same block",
                                       .setup = setup_slab,
                                       .threads = {first_frees_the_same, second_frees_the_same},
                                       .finish = one_was_told,
                                       .marks = FIRST | SECOND},
                                      {.name = "slab: shared, two take, one frees",
                                       .setup = setup_shared_slab,
                                       .threads = {sharer_0, other_frees, sharer_2},
                                       .finish = blocks_add_up,
                                       .sc = true,
                                       .marks = FIRST | SECOND | REFUSED},
                                      {.name = "pages: given back, and taken by the next",
                                       .setup = setup_last_page,
                                       .threads = {owner_gives_the_page, next_takes_the_page},
                                       .finish = pages_add_up,
                                       .sc = true,
                                       .marks = FIRST | REFUSED},
                                      {.name = "pages: given back by one that dies, adopter, the next",
                                       .setup = setup_last_page,
                                       .threads = {owner_gives_the_page, next_takes_the_page, adopter_of_the_page},
                                       .mortal = 1,
                                       .finish = one_has_the_page,
                                       .marks = FIRST | SECOND | REFUSED},
                                      {.name = "pages: two free the same run",
                                       .setup = setup_run,
                                       .threads = {first_frees_the_run, second_frees_the_run},
                                       .finish = one_freed_the_run,
                                       .marks = FIRST | SECOND},
                                      {.name = "pages: the holder of the lock dies anywhere, the next",
                                       .setup = setup,
                                       .threads = {takes_pages, takes_one_page},
                                       .mortal = 1,
                                       .finish = heap_is_whole,
                                       .marks = FIRST | SECOND | REFUSED | ENDED},
                                      {.name = "pages: the holder of the lock dies anywhere, a run is freed",
                                       .setup = setup_run_of_another,
                                       .threads = {takes_pages, frees_its_run},
                                       .mortal = 1,
                                       .finish = heap_is_whole,
                                       .marks = SECOND | ENDED},
                                      {.name = "slab: the owner ends, adopter",
                                       .setup = setup_one_taken,
                                       .threads = {owner_takes_and_ends, adopter_at_a_glance},
                                       .finish = taken_once,
                                       .marks = FIRST | BOTH | REFUSED},
                                      {.name = "pages: the holder of the lock is dead, a run is freed",
                                       .setup = setup_holder_dead,
                                       .threads = {frees_first, takes_all_pages},
                                       .finish = all_or_nothing,
                                       .marks = FIRST | REFUSED},
                                      {.name = "pages: freed while the lock is held",
                                       .setup = setup_all_pages,
                                       .threads = {holder_unlocks, takes_all_pages, frees_first},
                                       .finish = all_or_nothing,
                                       .marks = FIRST | REFUSED},
                                      {.name = "pages: freed while the lock is held, and the list is full",
                                       .setup = setup_no_place,
                                       .threads = {holder_unlocks, takes_all_pages, frees_first},
                                       .finish = all_or_nothing,
                                       .marks = FIRST | REFUSED},
                                      {.name = "pages: two freed while the lock is held",
                                       .setup = setup_two_runs,
                                       .threads = {holder_unlocks, frees_second, frees_first},
                                       .finish = both_are_back},
                                      {.name = "pages: two freed while the lock is held, and the list is full",
                                       .setup = setup_two_runs_no_place,
                                       .threads = {holder_unlocks, frees_second, frees_first},
                                       .finish = both_are_back},
                                      {.name = "pages: one waits already, the list is full, the next",
                                       .setup = setup_one_waits,
                                       .threads = {holder_unlocks_and_takes, frees_second},
                                       .finish = all_or_nothing,
                                       .marks = FIRST | REFUSED},
                                      {.name = "pages: shrunk and freed",
                                       .setup = setup_resize,
                                       .threads = {shrinks, frees_meanwhile},
                                       .finish = freed_or_there,
                                       .marks = FIRST | SECOND | REFUSED},
                                      {.name = "pages: grown and freed",
                                       .setup = setup_resize,
                                       .threads = {grows, frees_meanwhile},
                                       .finish = freed_or_there,
                                       .marks = FIRST | SECOND | REFUSED},
                                      {.name = "pages: grown to the end and freed",
                                       .setup = setup_resize,
                                       .threads = {grows_to_all, frees_meanwhile},
                                       .finish = freed_or_there,
                                       .marks = FIRST | SECOND | REFUSED},
                                      {.name = NULL}};
