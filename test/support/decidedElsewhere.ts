/**
 * Actions that a role may have although the local cloud never sees them: EFS decides what root may do there, and a service that AWS
 * adds to each role is not called here.
 */
export const decidedElsewhere = /^((logs|xray|ecr|kms):|elasticfilesystem:ClientRootAccess$)/;
