// The supervisor of one step: see `Supervisor`.
ShimProgram.run(CommandLine.arguments)
