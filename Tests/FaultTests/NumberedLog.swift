import TestSupport

/// A step that writes numbered lines in chunks, each when the test lets it, and the same bytes into a file of its own.
struct NumberedLog {
    var chunks: Int
    var linesPerChunk: Int

    static let bytesPerLine = 41

    init(megabytes: Int, chunks: Int) {
        self.chunks = chunks
        linesPerChunk = megabytes * 1_048_576 / Self.bytesPerLine / chunks
    }

    var bytes: Int { chunks * linesPerChunk * Self.bytesPerLine }
    func bytes(after chunk: Int) -> Int64 { Int64((chunk + 1) * linesPerChunk * Self.bytesPerLine) }

    /// Writes `mark` at its start and `tee`.
    func script(_ work: String) -> String {
        """
        echo start >> \(work)/mark
        i=0
        while [ $i -lt \(chunks) ]; do
          while [ ! -e \(work)/go$i ]; do sleep 0.02; done
          first=$((i * \(linesPerChunk) + 1))
          seq -f 'line %012.0f of a long numbered log' $first $((first + \(linesPerChunk - 1))) | tee -a \(work)/tee
          i=$((i + 1))
        done
        """
    }

    func release(_ chunk: Int, _ cluster: Cluster) throws { try cluster.touch("go\(chunk)") }

    func releaseAll(_ cluster: Cluster) throws { for chunk in 0..<chunks { try release(chunk, cluster) } }
}
