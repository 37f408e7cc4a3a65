#include "port.h"
#include "core/ring/frame.h"
#include "prim/prim.h"
#include "threads/spin.h"

enum { PATROL_NS = 100000000 };

int sw_port_open(sw_port *p, void *base, uint64_t size, uint32_t side) {
  *p = (sw_port){.base = base, .size = size, .side = side};
  int status = sw_region_verify(base, (uint32_t)(size / SW_PAGE));
  if (status != SW_OK) return status;
  p->channel = sw_region_channel(base, size);
  if (p->channel == 0) return SW_ECORRUPT;
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  int index = sw_endpoint_claim(base, sw_prim_pid(), (uint32_t)start, (uint32_t)(start >> 32));
  if (index < 0) return index;
  p->endpoint = (uint32_t)index;
  status = sw_channel_open_producer(&p->out, base, size, p->channel, side, p->endpoint);
  if (status == SW_OK) {
    status = sw_channel_open_consumer(&p->in, base, size, p->channel, side, p->endpoint);
    if (status != SW_OK) sw_producer_leave(&p->out);
  }
  if (status != SW_OK) sw_endpoint_release(base, p->endpoint);
  return status;
}

/* The other side's two role words, its receiver's first. */
static void peer_words(const sw_port *p, uint32_t words[2]) {
  words[0] = sw_channel_role(p->base, p->size, p->channel, sw_role_consumer(1 - p->side));
  words[1] = sw_channel_role(p->base, p->size, p->channel, sw_role_producer(1 - p->side));
}

uint32_t swi_port_peer(const sw_port *p) {
  uint32_t words[2];
  peer_words(p, words);
  uint32_t receiver = sw_role_holder(words[0]);
  return receiver != 0 ? receiver : sw_role_holder(words[1]);
}

int sw_port_has_peer(const sw_port *p) { return sw_endpoint_role_alive(p->base, swi_port_peer(p)); }

uint32_t swi_port_dead_peer(const sw_port *p) {
  uint32_t words[2], dead = 0;
  peer_words(p, words);
  for (int i = 0; i < 2; i++) {
    uint32_t holder = sw_role_holder(words[i]), lost = sw_role_lost(words[i]);
    if (holder != 0 && sw_endpoint_role_alive(p->base, holder)) return 0;
    if (dead == 0) dead = holder != 0 ? holder : lost;
  }
  return dead;
}

/* What a wait is for. */
typedef struct wish {
  sw_port *port;
  uint32_t what;
  uint32_t room;
} wish;

static int has_work(void *context) {
  const wish *w = context;
  sw_port *p = w->port;
  if ((w->what & SW_UNTIL_MESSAGE) != 0 && sw_consumer_ready(&p->in)) return 1;
  if ((w->what & SW_UNTIL_ROOM) == 0) return 0;
  uint32_t rest = p->out.capacity - (p->out.head & (p->out.capacity - 1));
  uint32_t span = swi_span(p->out.capacity, 0, w->room);
  if (span > rest) span = rest; /* the first thing missing is room for the padding */
  return p->out.capacity - sw_producer_used(&p->out) >= span || p->out.status == SW_ECORRUPT;
}

/* One sleep of at most `left`: 1 when there is work. */
static int sleep_once(wish *w, uint64_t left) {
  sw_port *p = w->port;
  uint32_t *doorbell = sw_endpoint_doorbell(p->base, p->endpoint);
  uint32_t quiet = (w->what & SW_UNTIL_MESSAGE) != 0 ? 0 : SW_SLEEP_QUIET;
  uint32_t ticket = sw_endpoint_arm(p->base, p->endpoint, SW_SLEEP_FUTEX | quiet);
  int work = (w->what & SW_UNTIL_MESSAGE) != 0 && sw_consumer_ready(&p->in);
  if (!work && (w->what & SW_UNTIL_ROOM) != 0) work = sw_producer_want_space(&p->out, w->room);
  if (!work) {
    sw_prim_futex_wait(doorbell, ticket, (int64_t)left);
    work = has_work(w);
  }
  sw_endpoint_disarm(p->base, p->endpoint);
  return work;
}

int sw_port_wait(sw_port *p, uint32_t what, uint32_t room, int64_t timeout_ns) {
  wish w = {p, what, room};
  uint64_t now = sw_prim_now(), end = timeout_ns < 0 ? UINT64_MAX : now + (uint64_t)timeout_ns;
  uint64_t spun = end - now < SW_WAIT_SPIN_NS ? end : now + SW_WAIT_SPIN_NS;
  if (swi_spin(&p->spinner, has_work, &w, spun)) return 1;
  while ((now = sw_prim_now()) < end) {
    if (!sw_producer_holds(&p->out) || !sw_consumer_holds(&p->in)) return SW_EREPLACED;
    if (sleep_once(&w, end - now < PATROL_NS ? end - now : PATROL_NS)) return 1;
    if (swi_port_dead_peer(p) == 0) continue;
    /* looked at last: what the dead one had sent is received first */
    return has_work(&w) ? 1 : SW_EPEERDIED;
  }
  return 0;
}

void sw_port_close(sw_port *p, int end) {
  if (end) {
    sw_producer_close(&p->out);
    sw_consumer_close(&p->in);
  }
  sw_producer_leave(&p->out);
  sw_consumer_leave(&p->in);
  sw_endpoint_release(p->base, p->endpoint);
}
