/// Counts the changes of any section's version in the states of learners, steps and detectors.
///
/// Raised together with a section's version. The same state has other bytes in another format, and so
/// another hash: hashes are compared within one format only.
package let stateFormat: UInt32 = 2
