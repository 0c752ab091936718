"""Why a shopper paid what he paid: the facts, the lines of the story, and the story in short."""
