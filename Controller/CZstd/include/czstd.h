#ifndef ANSFLOW_CZSTD_H
#define ANSFLOW_CZSTD_H

#include <stddef.h>

// What the log store needs of the system's libzstd and of the C library's allocator, without their macros.

/// A compressor; it holds about 1.5 MiB at level 3 and serves one thread at a time.
typedef struct ansflow_zstd_compressor ansflow_zstd_compressor;

/// NULL where no memory is left.
ansflow_zstd_compressor *ansflow_zstd_compressor_create(void);
void ansflow_zstd_compressor_free(ansflow_zstd_compressor *compressor);

/// The most bytes that `size` bytes can become.
size_t ansflow_zstd_bound(size_t size);

/// Makes one frame of `size` bytes. Returns its length, or 0 where it failed.
size_t ansflow_zstd_compress(ansflow_zstd_compressor *compressor, void *target, size_t capacity, const void *source,
                             size_t size, int level);

/// Unpacks one frame that must give exactly `size` bytes. Returns 0 where it did, -1 where it did not.
int ansflow_zstd_decompress(void *target, size_t size, const void *source, size_t length);

/// Lets the process give large blocks back to the system as soon as they are freed, and share two arenas among its threads instead of
/// eight for each core, each of which would keep what its largest log once needed.
void ansflow_limit_allocator(void);

#endif
