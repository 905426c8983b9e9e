"""What a rehearsal reads and shows; the incidents themselves are played in `tests/local`."""
