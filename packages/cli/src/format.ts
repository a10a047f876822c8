export { formatBytes, formatCount, formatDuration, formatFigure, formatMoment } from "@openemr-ops/core/format";
