"""The reviewer's and duty staff's pages: the queue, a case, a decision."""
