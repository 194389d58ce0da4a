import CZstd

/// The memory allocator of the whole process.
package enum Allocator {
    /// Keeps little of what was freed. To be called once, before there are threads.
    ///
    /// Blocks of logs are a quarter of a megabyte and pass from thread to thread: with the C library's own settings a controller of 50 MB
    /// stayed at more than 100 once a few large logs had been stored and downloaded.
    package static func keepLittle() { ansflow_limit_allocator() }
}
