/* Endpoints: claimed by one at a time, whatever became of the owner before. */
#include "scenes.h"

static uint8_t *base(void) { return model_region(); }

static sw_endpoint *endpoint(uint32_t index) { return (sw_endpoint *)(void *)(base() + SW_HEADER_BYTES) + index; }

/* world.status is the endpoint that each thread holds, or -1. */
static void claim(int thread, uint32_t pid) {
  int index = sw_endpoint_claim(base(), pid, 10 * pid, pid);
  model_check(index >= 0);
  world.status[thread] = index;
  model_mark(index == 0 ? (uint32_t)FIRST << thread : REFUSED);
}
static void release(int thread) {
  sw_endpoint_release(base(), (uint32_t)world.status[thread]);
  world.status[thread] = -1;
}

static void setup(void) {
  world_format();
  world.status[0] = world.status[1] = world.status[2] = -1;
}
/* Endpoint 0 belongs to process 4, which is dead. */
static void setup_dead(void) {
  setup();
  model_check(sw_endpoint_claim(base(), 4, 40, 4) == 0);
  model_process(4, 40, 4, false);
}
/* Endpoint 0 belongs to a dead process whose pid is that of a living one now. */
static void setup_reused(void) {
  setup();
  model_check(sw_endpoint_claim(base(), 1, 7, 0) == 0);
}
/* Endpoint 0 belongs to process 1 and is about to be released. */
static void setup_owned(void) {
  setup();
  model_check(sw_endpoint_claim(base(), 1, 10, 1) == 0);
  world.status[0] = 0;
  world.sent[0] = sw_endpoint_role(base(), 0);
}

/* The same, and its owner has ended. */
static void setup_ended(void) {
  setup_owned();
  world.status[0] = -1;
}

static void claim_1(void) { claim(0, 1); }
static void claim_2(void) { claim(1, 2); }
static void claim_1_again(void) { claim(1, 1); } /* another thread of process 1 */
static void release_1(void) { release(0); }
static void claim_and_release_1(void) {
  claim(0, 1);
  release(0);
}
/* The owner has ended, and two others have seen it. */
static void release_by_role_1(void) { world.sent[1] = (uint32_t)sw_endpoint_release_role(base(), world.sent[0]); }
static void release_by_role_2(void) { world.sent[2] = (uint32_t)sw_endpoint_release_role(base(), world.sent[0]); }
static void release_by_role_and_claim_2(void) {
  release_by_role_2();
  claim(1, 2);
}
static void released_once(void) {
  model_check(world.sent[1] + world.sent[2] == 1);
  model_mark(world.sent[1] ? FIRST : SECOND);
}
static void claim_third(void) { claim(2, 3); }

/* What an owner left in its endpoint is what others will judge it by. */
static void held_apart(void) {
  for (int t = 0; t < 3; t++) {
    if (world.status[t] < 0) continue;
    const sw_endpoint *e = endpoint((uint32_t)world.status[t]);
    for (int u = 0; u < t; u++) model_check(world.status[u] != world.status[t]);
    model_check(e->pid != 0 && e->start_low == 10 * e->pid && e->start_high == e->pid);
    model_check(e->sleeping == SW_AWAKE);
  }
}

static void released_once_and_held_apart(void) {
  released_once();
  held_apart();
}

/* ---- roles against release ---- */

/* The owner's role is in the ring's word for all to see. */
static void claim_and_tell(void) {
  claim(0, 1);
  world.sent[0] = sw_endpoint_role(base(), 0);
  if (world.status[0] == 0) sw_store_release(&world_ring(0)->producer, world.sent[0]);
}
/* A thread that learns of a role finds its owner alive. */
static void owner_lives(void) {
  uint32_t role = sw_load_acquire(&world_ring(0)->producer);
  if (role == 0) return;
  model_check(sw_endpoint_role_alive(base(), role));
  model_mark(SECOND);
}
/* And what process that is. */
static void owner_is_told(void) {
  sw_owner owner;
  uint32_t role = sw_channel_role(base(), REGION_BYTES, CHANNEL, sw_role_producer(SW_RENDERER));
  if (role == 0) return;
  model_check(sw_endpoint_owner(base(), role, &owner));
  model_check(owner.pid == 1 && owner.start_low == 10 && owner.start_high == 1);
  model_mark(SECOND);
}
/* While the endpoint passes to others: all of its owner, or nothing. */
static void owner_or_none(void) {
  sw_owner owner;
  if (sw_endpoint_owner(base(), world.sent[0], &owner)) {
    model_check(owner.pid == 1 && owner.start_low == 10 && owner.start_high == 1);
    model_mark(SECOND);
  } else {
    model_mark(ENDED);
  }
}
static void release_and_tell(void) {
  release(0);
  sw_store_release(&world.stop, 1);
}
/* A thread that learns of the release finds the role dead, also when the endpoint has its next
 * owner. */
static void role_is_dead(void) {
  if (!sw_load_acquire(&world.stop)) return;
  model_check(!sw_endpoint_role_alive(base(), world.sent[0]));
  model_mark(ENDED);
}
static void setup_role_0(void) {
  setup();
  world_ring(0)->producer = 0;
}
static void setup_role_0_reclaimed(void) {
  setup_dead();
  world_ring(0)->producer = 0;
}

const model_scenario scenes_claim[] = {{.name = "claim: two claimers, all free",
                                        .setup = setup,
                                        .threads = {claim_1, claim_2},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: two claimers, dead owner",
                                        .setup = setup_dead,
                                        .threads = {claim_1, claim_2},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: three claimers, dead owner",
                                        .setup = setup_dead,
                                        .threads = {claim_1, claim_2, claim_third},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: two threads, their pid was the dead owner's",
                                        .setup = setup_reused,
                                        .threads = {claim_1, claim_1_again},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: thread and process, the pid was the dead owner's",
                                        .setup = setup_reused,
                                        .threads = {claim_1, claim_2},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: against release",
                                        .setup = setup_owned,
                                        .threads = {release_1, claim_2, claim_third},
                                        .finish = held_apart,
                                        .marks = SECOND | REFUSED},
                                       {.name = "claim: against two releases by role",
                                        .setup = setup_ended,
                                        .threads = {release_by_role_1, release_by_role_and_claim_2, claim_third},
                                        .finish = released_once_and_held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: and release, two claimers",
                                        .setup = setup,
                                        .threads = {claim_and_release_1, claim_2},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "claim: and release of a dead owner's, two claimers",
                                        .setup = setup_dead,
                                        .threads = {claim_and_release_1, claim_2},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "role: of a new claim is alive",
                                        .setup = setup_role_0,
                                        .threads = {claim_and_tell, owner_lives},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND},
                                       {.name = "role: of a reclaimed endpoint is alive",
                                        .setup = setup_role_0_reclaimed,
                                        .threads = {claim_and_tell, owner_lives, claim_2},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "role: of a new claim names its process",
                                        .setup = setup_role_0,
                                        .threads = {claim_and_tell, owner_is_told},
                                        .finish = held_apart,
                                        .marks = FIRST | SECOND},
                                       {.name = "role: of a released endpoint never names another",
                                        .setup = setup_owned,
                                        .threads = {release_1, owner_or_none, claim_third},
                                        .finish = held_apart,
                                        .marks = SECOND | ENDED},
                                       {.name = "role: of a released endpoint is dead",
                                        .setup = setup_owned,
                                        .threads = {release_and_tell, role_is_dead, claim_third},
                                        .finish = held_apart,
                                        .marks = ENDED},
                                       {.name = NULL}};
