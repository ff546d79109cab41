SELECT active, superseded, tombstoned, bytes FROM catalog
