#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>

/* A queue of a fixed number of integers. */
struct ring;

struct ring *ring_new(size_t capacity);
void ring_free(struct ring *ring);
/* False where it is full. */
bool ring_push(struct ring *ring, int value);
/* False where it is empty. */
bool ring_pop(struct ring *ring, int *value);
size_t ring_count(const struct ring *ring);

#endif
