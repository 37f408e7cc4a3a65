#include "sabway/shared.h"

#include "prim/prim.h"
#include "threads/spin.h"
#include "util/self.h"

int sw_port_open(sw_port *p, void *base, uint64_t size, uint32_t side) {
  sw_place place = {.base = base, .size = size, .side = side};
  int status = sw_region_verify(base, (uint32_t)(size / SW_PAGE));
  if (status != SW_OK) return status;
  place.channel = sw_region_channel(base, size);
  return place.channel == 0 ? SW_ECORRUPT : sw_port_open_at(p, &place);
}

int sw_port_open_at(sw_port *p, const sw_place *place) {
  *p = (sw_port){.at = *place};
  int status = sw_region_verify(place->base, (uint32_t)(place->size / SW_PAGE));
  if (status != SW_OK) return status;
  sw_owner self = swi_self();
  int index = sw_side_open(&p->out, &p->in, &p->at, &self, 0);
  if (index < 0) return index;
  p->endpoint = (uint32_t)index;
  return SW_OK;
}

int sw_port_has_peer(const sw_port *p) { return sw_endpoint_role_alive(p->at.base, sw_side_peer(&p->at)); }

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
  return (w->what & SW_UNTIL_ROOM) != 0 && sw_producer_fits(&p->out, w->room);
}

/* One sleep of at most `left`: 1 when there is work. */
static int sleep_once(wish *w, uint64_t left) {
  sw_port *p = w->port;
  uint32_t *doorbell = sw_endpoint_doorbell(p->at.base, p->endpoint);
  uint32_t quiet = (w->what & SW_UNTIL_MESSAGE) != 0 ? 0 : SW_SLEEP_QUIET;
  uint32_t ticket = sw_endpoint_arm(p->at.base, p->endpoint, SW_SLEEP_FUTEX | quiet);
  int work = (w->what & SW_UNTIL_MESSAGE) != 0 && sw_consumer_ready(&p->in);
  if (!work && (w->what & SW_UNTIL_ROOM) != 0) work = sw_producer_want_space(&p->out, w->room);
  if (!work) {
    sw_prim_futex_wait(doorbell, ticket, (int64_t)left);
    work = has_work(w);
  }
  sw_endpoint_disarm(p->at.base, p->endpoint);
  return work;
}

int sw_port_wait(sw_port *p, uint32_t what, uint32_t room, int64_t timeout_ns) {
  wish w = {p, what, room};
  uint64_t now = sw_prim_now(), end = timeout_ns < 0 ? UINT64_MAX : now + (uint64_t)timeout_ns;
  uint64_t spun = end - now < SW_WAIT_SPIN_NS ? end : now + SW_WAIT_SPIN_NS;
  if (swi_spin(&p->spinner, has_work, &w, spun)) return 1;
  while ((now = sw_prim_now()) < end) {
    if (!sw_side_holds(&p->out, &p->in)) return SW_EREPLACED;
    if (sleep_once(&w, end - now < SW_WAIT_DEATH_NS ? end - now : SW_WAIT_DEATH_NS)) return 1;
    if (sw_side_dead_peer(&p->at) == 0) continue;
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
  sw_side_leave(&p->out, &p->in, &p->at, p->endpoint);
}
