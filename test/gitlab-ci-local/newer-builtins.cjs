// gitlab-ci-local is written for Node.js 22. This is the one thing of it that Node.js 20 lacks and a pipeline needs.
Set.prototype.union ??= function union(other) {
  return new Set([...this, ...other]);
};
