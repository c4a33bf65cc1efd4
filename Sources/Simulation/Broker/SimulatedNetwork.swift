/// What lies between a process and the broker: latency, loss, late and doubled requests, outages.
final class SimulatedNetwork {
    /// Who answers a request.
    enum Target: Int {
        case leader
        case transactions
        case group
    }

    private unowned let world: World
    private let scenario: Scenario
    /// Until when nobody answers.
    private var outageEnd: Int64 = 0
    /// Until when a coordinator moves from one broker to another, by target.
    private var moveEnds: [Int64] = [0, 0, 0]
    /// Whether faults may happen.
    var isFaulty = true

    init(world: World, scenario: Scenario) {
        self.world = world
        self.scenario = scenario
    }

    var isDown: Bool { world.now < outageEnd }

    func fail(for milliseconds: Int) {
        outageEnd = max(outageEnd, world.now + Int64(milliseconds))
    }

    /// A coordinator moves: until it has loaded its log elsewhere, it answers nobody.
    func move(_ target: Target, for milliseconds: Int) {
        moveEnds[target.rawValue] = max(
            moveEnds[target.rawValue], world.now + Int64(milliseconds))
    }

    /// How long a coordinator is still on the way.
    func moveLeft(_ target: Target) -> Int {
        Int(max(0, moveEnds[target.rawValue] - world.now))
    }

    func heal() {
        outageEnd = 0
        moveEnds = [0, 0, 0]
    }

    /// Makes a request and waits for its answer; `nil` when none came in time, in which case the
    /// request may have been applied, or may yet be.
    ///
    /// The world goes on meanwhile: the process may be paused or killed when this returns.
    ///
    /// - Parameter weight: How much likelier than usual it is slow, or its answer lost.
    func request<Answer>(
        from process: SimulatedProcess, to target: Target = .leader, weight: Int = 1,
        _ apply: @escaping () -> Answer
    ) -> Answer? {
        let isOutermost = world.isOutermost
        world.pass(world.draw(0...1))
        process.sleepWhilePaused()
        if !process.isAlive, world.happens(perMille: 500) { return nil }
        if isDown || moveLeft(target) > 0 {
            if world.happens(perMille: scenario.lateRequests) { deliverLate(apply) }
            return timeOut(process)
        }
        if isFaulty {
            if isOutermost, world.happens(perMille: weight * scenario.slowRequests) {
                world.note(.requestSlow)
                world.pass(world.draw(50...2 * scenario.session))
                process.sleepWhilePaused()
            }
            if world.happens(perMille: scenario.lostRequests) {
                world.note(.requestLost)
                return timeOut(process)
            }
            if world.happens(perMille: scenario.lateRequests) {
                world.note(.requestLate)
                deliverLate(apply)
                return timeOut(process)
            }
            if world.happens(perMille: weight * scenario.lostAnswers) {
                world.note(.answerLost)
                _ = apply()
                return timeOut(process)
            }
        }
        let answer = apply()
        world.pass(world.draw(0...1))
        process.sleepWhilePaused()
        return answer
    }

    /// A request that was sent twice because its first copy seemed lost: both are applied in the
    /// end, but only the second one's answer came.
    func requestTwice<Answer>(
        from process: SimulatedProcess, _ apply: @escaping () -> Answer
    ) -> Answer? {
        if isFaulty, world.happens(perMille: scenario.lateRequests) {
            world.note(.doubled)
            deliverLate(apply)
        }
        return request(from: process, apply)
    }

    private func deliverLate<Answer>(_ apply: @escaping () -> Answer) {
        world.after(world.draw(5...400)) { _ = apply() }
    }

    private func timeOut<Answer>(_ process: SimulatedProcess) -> Answer? {
        // Inside another's wait only for a moment, because that one waits for the end of this one.
        world.pass(world.isOutermost ? scenario.requestTimeout : 3)
        process.sleepWhilePaused()
        return nil
    }
}
