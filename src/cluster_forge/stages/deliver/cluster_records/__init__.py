"""What a cluster keeps of a stack: releases, the audit log, the lease, the claim of its objects, what was applied last."""
