import CSimdJSON
import Core

/// Writes bytes one after another to memory that its user has made room in.
///
/// Exists because a call into another target for each piece of a prediction costs more than the
/// piece.
@safe
struct RecordWriter {
    // Safety: the maker promises room for all that is written; nothing is read.
    private let start: UnsafeMutablePointer<UInt8>
    private var position: UnsafeMutablePointer<UInt8>

    /// "00" to "99", one after another.
    private static let pairs: StaticString = """
        0001020304050607080910111213141516171819\
        2021222324252627282930313233343536373839\
        4041424344454647484950515253545556575859\
        6061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """

    @unsafe
    init(_ start: UnsafeMutablePointer<UInt8>) {
        unsafe self.start = start
        unsafe position = start
    }

    /// The number of bytes written.
    var count: Int { unsafe position - start }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        unsafe position.pointee = byte
        unsafe position += 1
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        unsafe position.update(from: text.utf8Start, count: count)
        unsafe position += count
    }

    @inline(__always)
    mutating func write(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe position.update(from: base, count: source.count)
        }
        unsafe position += bytes.count
    }

    /// At most 20 bytes.
    @inline(__always)
    mutating func write(decimal value: Int64) {
        if value < 0 { write(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var count = 1
        var bound: UInt64 = 10
        while rest >= bound {
            count += 1
            if count == 20 { break }
            bound &*= 10
        }
        unsafe position += count
        var out = unsafe position
        while rest >= 100 {
            unsafe out -= 2
            unsafe write(pair: Int(truncatingIfNeeded: rest % 100), at: out)
            rest /= 100
        }
        if rest >= 10 {
            unsafe write(pair: Int(truncatingIfNeeded: rest), at: out - 2)
        } else {
            unsafe (out - 1).pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)
        }
    }

    /// A number between 0 and 1 with six decimals, rounded half up; others are clamped, and NaN is
    /// `null`. At most eight bytes.
    @inline(__always)
    mutating func write(sixDecimals value: Double) {
        guard !value.isNaN else {
            write("null")
            return
        }
        let millionths = value < 1 ? Int(max(0, value) * 1e6 + 0.5) : 1_000_000
        unsafe position[0] = millionths == 1_000_000 ? UInt8(ascii: "1") : UInt8(ascii: "0")
        unsafe position[1] = UInt8(ascii: ".")
        let rest = millionths == 1_000_000 ? 0 : millionths
        unsafe write(pair: rest / 10000, at: position + 2)
        unsafe write(pair: rest / 100 % 100, at: position + 4)
        unsafe write(pair: rest % 100, at: position + 6)
        unsafe position += 8
    }

    /// In shortest round-trip form; `null` if it is not finite. At most 32 bytes.
    mutating func write(shortest value: Double) {
        if value.isFinite {
            unsafe position += tw_write_number(value, position)
        } else {
            write("null")
        }
    }

    @inline(__always)
    private func write(pair: Int, at out: UnsafeMutablePointer<UInt8>) {
        // Safety: `pair` is below 100, and the table has 200 bytes.
        unsafe out.update(from: Self.pairs.utf8Start + pair * 2, count: 2)
    }
}
