await AnsFlowCommand.start()
