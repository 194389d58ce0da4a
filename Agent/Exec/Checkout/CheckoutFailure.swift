/// Why a checkout can't be done: what failed, where, and what to do. Holds no credentials.
package struct CheckoutFailure: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
