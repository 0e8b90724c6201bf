# Reference values of src/map/incidence.rs: R 4.2.2, survival 3.5.3 (Debian 12: r-base-core, r-cran-survival).
# Run here: Rscript make.R
#
# mgus2 comes with `survival`: 1,384 people with a monoclonal gammopathy, who progress to a plasma cell malignancy (exit 1) or
# die without one (exit 2); the competing risks of the package's own vignette (Therneau, Crowson and Atkinson; Kyle et al. 2002).
library(survival)
exit <- with(mgus2, ifelse(pstat == 0, 2 * death, 1))
data <- data.frame(months = with(mgus2, ifelse(pstat == 0, futime, ptime)), exit = exit)
write.csv(data, "mgus2.csv", row.names = FALSE, quote = FALSE)

fit <- survfit(Surv(months, factor(exit, 0:2)) ~ 1, data = data, id = seq_len(nrow(data)), influence = TRUE)
# The same stays as if three in a row were one person's: influences, whose first column is time 0, are added up before they
# are squared.
person <- (seq_len(nrow(data)) - 1) %/% 3
at <- findInterval(c(12, 30, 60, 120, 180, 240, 300), fit$time)
clustered <- function(state) apply(fit$influence.pstate[, at + 1, state], 2, function(i) sqrt(sum(rowsum(i, person)^2)))
out <- data.frame(
  months = fit$time[at],
  stay = fit$pstate[at, 1], progress = fit$pstate[at, 2], die = fit$pstate[at, 3],
  stay_se = fit$std.err[at, 1], progress_se = fit$std.err[at, 2], die_se = fit$std.err[at, 3],
  stay_se3 = clustered(1), progress_se3 = clustered(2), die_se3 = clustered(3))
write.csv(format(out, digits = 10), "mgus2_incidence.csv", row.names = FALSE, quote = FALSE)

km <- survfit(Surv(months, exit > 0) ~ 1, data = data, conf.type = "log-log")
print(km, rmean = 240) # rmean 111, se 2.35; median 94, 95 % interval 88-100
