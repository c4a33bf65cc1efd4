import Service

@main struct Main { static func main() {} }
