#include "ring.h"

#include <stdlib.h>

struct ring {
    size_t capacity, head, count;
    int values[];
};

struct ring *ring_new(size_t capacity) {
    if (capacity == 0 || capacity > 1u << 20) return NULL;
    struct ring *ring = calloc(1, sizeof *ring + capacity * sizeof ring->values[0]);
    if (ring) ring->capacity = capacity;
    return ring;
}

void ring_free(struct ring *ring) { free(ring); }

bool ring_push(struct ring *ring, int value) {
    if (ring->count == ring->capacity) return false;
    ring->values[(ring->head + ring->count) % ring->capacity] = value;
    ring->count++;
    return true;
}

bool ring_pop(struct ring *ring, int *value) {
    if (ring->count == 0) return false;
    *value = ring->values[ring->head];
    ring->head = (ring->head + 1) % ring->capacity;
    ring->count--;
    return true;
}

size_t ring_count(const struct ring *ring) { return ring->count; }
