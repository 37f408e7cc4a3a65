/* Records: fields in shared memory that any participant reads and writes, each of them atomically,
 * and several of them together under a lock. A change under the lock is done as a whole or not at
 * all: when its holder dies in the middle, the next one gets the fields as they were.
 *
 *   uint32_t at = sw_record_new(&heap, SW_TYPE_RECORD, &plan);
 *
 *   int status = sw_record_try_lock(&heap, at, SW_TYPE_RECORD, generation);
 *   if (status == SW_OK) {
 *     sw_record_write32(&heap, at, 0, 4, 41);     each notes what was there first
 *     sw_record_write32(&heap, at, 4, 4, 42);
 *     sw_record_unlock(&heap, at);                the change is made; sw_record_undo takes it back
 *   }
 *
 * Fields are also read and written without the lock, as what they are: words in shared memory. Such
 * a read may see half of a change; sw_record_snapshot never does. Such a write is lost when the
 * lock's holder has changed the same field and its change is undone.
 *
 * See native/core/record/record.c for how. */
#ifndef SABWAY_RECORD_H
#define SABWAY_RECORD_H

#include "error.h"
#include "heap.h"
#include "layout.h"
#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make a record or an array of records (SW_TYPE_RECORD, SW_TYPE_RECORDS), all of whose bytes are
 * zero. Returns its control block's offset, or 0 with h->status. No other participant knows of it
 * yet. Lock-free but for what sw_heap_alloc is. A crash inside leaks at most its two blocks.
 * Errors: those of sw_heap_alloc; SW_ERANGE: the plan has no bytes, is not a multiple of 8, or too
 * large. */
uint32_t sw_record_new(sw_heap *h, uint32_t type, const sw_record_plan *plan);

/* Is the record that is there what the plan says, and does it lie in the heap? Any thread,
 * wait-free. Errors: SW_EKIND: it is another; SW_ECORRUPT; and those of sw_object_check. */
int sw_record_open(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, const sw_record_plan *plan);

/* Lock it, when no participant holds it: SW_OK. What a dead holder has left half done is undone
 * first. Any thread, with its own handle of the heap; lock-free. A crash inside leaves it locked by
 * the dead caller, and the undoing to the next. Errors: SW_EBUSY; SW_ESTATE: the caller holds it;
 * SW_ECORRUPT: the undo log was destroyed, and from now on SW_EPOISONED; those of
 * sw_object_check. */
int sw_record_try_lock(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

/* For hosts that wait for the lock as for any mutex: the caller has locked it. `inherited`: its
 * last holder has died with it. Errors as sw_record_try_lock, and then the caller has not got
 * it. */
int sw_record_locked(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t inherited);

/* Change a field of `width` bytes (1, 2, 4; 8 by two halves) at this offset in the fields, which is
 * a multiple of that. For the holder; lock-free. A crash inside leaves the change to be undone.
 * Errors: SW_ESTATE: the caller does not hold it; SW_ERANGE: no such field; SW_EUNDO: the log is
 * full, and the field is as it was; SW_EBUSY: other participants do not stop writing to its
 * neighbours. */
int sw_record_write32(sw_heap *h, uint32_t at, uint32_t offset, uint32_t width, uint32_t value);
int sw_record_write64(sw_heap *h, uint32_t at, uint32_t offset, uint32_t low, uint32_t high);

/* Replace a text, whose word is at that offset in the fields: by a block of sw_string_alloc that is
 * filled, or zero, for an empty one. It belongs to the record from then on; on an error it is still
 * the caller's. For the holder; otherwise as sw_record_write64. */
int sw_record_write_text(sw_heap *h, uint32_t at, uint32_t offset, uint32_t text);

/* The same for a caller that does not hold the lock, which it takes for that time. Errors: also
 * those of sw_record_try_lock. */
int sw_record_set_text(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t offset, uint32_t text);

/* Take back what the holder has changed since it has locked the record, or since it has called
 * this; it stays locked. For the holder. Errors: SW_ESTATE, SW_ECORRUPT. */
int sw_record_undo(sw_heap *h, uint32_t at);

/* The changes are made: other participants see all of them, and none is undone any more. It stays
 * locked. For the holder. A crash inside leaves all of them made or none. Errors: SW_ESTATE. */
int sw_record_commit(sw_heap *h, uint32_t at);

/* The same, and gives the lock back. Errors: SW_ESTATE: the caller does not hold it. */
int sw_record_unlock(sw_heap *h, uint32_t at);

/* Copy pieces of the fields, as they are between two changes under the lock, one behind the other
 * to `into`, each from the multiple of 8 at or before its beginning up to the one at or behind its
 * end. `into` is 8-byte aligned. Any thread; waits for no living participant, and undoes what a
 * dead one has left half done. Writes nothing where no change is under way. Errors: SW_EBUSY: a
 * living participant is in the middle of a change: to be tried again; SW_ERANGE: no such pieces;
 * those of sw_record_try_lock. */
int sw_record_snapshot(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, const sw_piece *pieces,
                       uint32_t count, void *into);

/* Free it. Errors: SW_EBUSY: a living participant holds its lock; SW_EFREED and the others of
 * sw_object_check. A crash inside leaks what was not freed yet. */
int sw_record_free(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

/* Are its words such as participants write? Any thread, wait-free. Errors: SW_ECORRUPT. */
int sw_record_check(const sw_heap *h, uint32_t at);

#ifdef __cplusplus
}
#endif
#endif
