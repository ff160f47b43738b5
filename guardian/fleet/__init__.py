"""The devices as the cloud knows them: enrolment, heartbeats, health, positions of units, revocation."""
