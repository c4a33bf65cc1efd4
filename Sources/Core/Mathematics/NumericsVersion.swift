/// The version of the numeric contract: sum order, elementary functions, random numbers, hashing.
///
/// Stamped into journal and snapshots. State that was computed under another version is refused,
/// because a replay could not reach the same bits.
package let numericsVersion: UInt32 = 1
