#include "ring.h"

#include <stdio.h>

#define CHECK(what)                                              \
    do {                                                         \
        if (!(what)) {                                           \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #what);    \
            return 1;                                            \
        }                                                        \
    } while (0)

int main(void) {
    CHECK(ring_new(0) == NULL);
    struct ring *ring = ring_new(3);
    CHECK(ring != NULL);
    int value = 0;
    CHECK(!ring_pop(ring, &value));
    for (int i = 0; i < 10; i++) {
        CHECK(ring_push(ring, i) && ring_push(ring, i + 100));
        CHECK(ring_count(ring) == 2);
        CHECK(ring_pop(ring, &value) && value == i);
        CHECK(ring_pop(ring, &value) && value == i + 100);
    }
    for (int i = 0; i < 3; i++) CHECK(ring_push(ring, i));
    CHECK(!ring_push(ring, 3));
    ring_free(ring);
    puts("ok");
    return 0;
}
