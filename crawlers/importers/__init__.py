"""Reading captures that somebody else supplies. Each row is checked; a bad one is told and the rest go on."""
