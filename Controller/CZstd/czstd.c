#include "czstd.h"

#include <malloc.h>
#include <zstd.h>

ansflow_zstd_compressor *ansflow_zstd_compressor_create(void) {
    return (ansflow_zstd_compressor *)ZSTD_createCCtx();
}

void ansflow_zstd_compressor_free(ansflow_zstd_compressor *compressor) {
    ZSTD_freeCCtx((ZSTD_CCtx *)compressor);
}

size_t ansflow_zstd_bound(size_t size) {
    return ZSTD_compressBound(size);
}

size_t ansflow_zstd_compress(ansflow_zstd_compressor *compressor, void *target, size_t capacity, const void *source,
                             size_t size, int level) {
    size_t length = ZSTD_compressCCtx((ZSTD_CCtx *)compressor, target, capacity, source, size, level);
    return ZSTD_isError(length) ? 0 : length;
}

int ansflow_zstd_decompress(void *target, size_t size, const void *source, size_t length) {
    size_t given = ZSTD_decompress(target, size, source, length);
    return ZSTD_isError(given) || given != size ? -1 : 0;
}

void ansflow_limit_allocator(void) {
    // Naming the threshold also keeps it from growing with the first large block that is freed.
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 512 * 1024);
    mallopt(M_ARENA_MAX, 2);
}
