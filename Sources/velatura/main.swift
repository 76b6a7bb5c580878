import Commands

runVelatura()
