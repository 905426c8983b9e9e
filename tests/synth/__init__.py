"""What is synthesized; one synth of each environment for all tests."""
