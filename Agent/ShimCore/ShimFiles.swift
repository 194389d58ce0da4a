/// The names of what a shim keeps in its directory. They are part of the versioned format.
package enum ShimFiles {
    /// Held by flock as long as the shim lives.
    package static let lock = "lock"
    /// The Unix socket.
    package static let socket = "sock"
    /// The shim's own errors, for people.
    package static let log = "shim.log"
    /// The step's variable that holds the socket's path.
    package static let controlVariable = "ANSFLOW_CONTROL"
}
