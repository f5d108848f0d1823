"""What Dangol will cost in the shop's AWS account: from measured units and prices. A prediction."""
