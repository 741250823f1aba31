package providers

// Services are those of a program, in the order of listings. Each is made when it is asked for: most
// calls are about one.
type Services []Service

// Service is one of them: the value of `provider:` in a profile, and what makes its Spec.
type Service struct {
	Name string
	Spec func() Spec
}

// These are Services that are there already.
func These(specs ...Spec) Services {
	all := make(Services, len(specs))
	for i, s := range specs {
		all[i] = Service{s.Name, func() Spec { return s }}
	}
	return all
}

// Named returns the service of a name; false when there is none.
func (l Services) Named(name string) (Spec, bool) {
	for _, s := range l {
		if s.Name == name {
			return s.Spec(), true
		}
	}
	return Spec{}, false
}

// Names are those of all.
func (l Services) Names() []string {
	names := make([]string, len(l))
	for i, s := range l {
		names[i] = s.Name
	}
	return names
}

// All makes all of them.
func (l Services) All() []Spec {
	all := make([]Spec, len(l))
	for i, s := range l {
		all[i] = s.Spec()
	}
	return all
}
