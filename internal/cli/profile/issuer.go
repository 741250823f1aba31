package profile

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/openid"
	"github.com/authctl/authctl/internal/setting"
)

// noIssuer is the answer of who has no issuer to name.
const noIssuer = "-"

// meet asks for the issuer of a service that says of itself what it has, and reads that: then only
// what the issuer offers is asked for. Who cannot be asked is not met, since nothing is sent then.
func (a *add) meet(ctx context.Context) error {
	if a.service.Given == nil || !a.UI.Prompter.CanAsk() {
		return nil
	}
	asked, meant := "", ""
	for range maxTries {
		if a.values.Text("token_url") != "" && a.values.Text("issuer") == "" {
			return nil
		}
		if a.values.Text("issuer") == "" || asked != "" {
			if err := a.untilUsable(func() error { return a.askIssuer(ctx, asked, meant) }); err != nil {
				return err
			}
		}
		named := a.values.Text("issuer")
		if named == "" || named == asked {
			return nil
		}
		found, err := a.read(ctx)
		if err == nil {
			a.met(found)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		a.warn(err)
		asked, meant = named, meantBy(named, err)
	}
	return nil
}

// meantBy is the issuer that is probably meant by one that could not be read: what it calls itself
// where a slash at the end is the difference. Any other one is for the person to judge.
func meantBy(named string, err error) string {
	other, ok := errors.AsType[*openid.IssuerError](err)
	if ok && strings.TrimRight(other.Named, "/") == strings.TrimRight(named, "/") {
		return other.Named
	}
	return named
}

// askIssuer asks for the issuer, once more where what was said before is none that can be read and
// something else is probably meant.
func (a *add) askIssuer(ctx context.Context, before, meant string) error {
	label := "issuer (who issues the tokens, such as https://id.example.com; " + noIssuer + " where there is none)"
	if before != "" {
		label = "issuer (another; the same to go on with it as it is; " + noIssuer + " to give the endpoints instead)"
	}
	answer, err := a.UI.Prompter.Line(ctx, label, meant)
	switch {
	case err != nil:
		return err
	case answer == "":
		return verb.Usagef("issuer is needed")
	case answer == before:
		return nil
	case answer == noIssuer:
		a.values, a.endpoints = a.values.With("issuer", setting.Value{}), true
		delete(a.own, "issuer")
		return nil
	}
	return a.put("issuer", answer)
}

// warn tells what is wrong and what to do, where that does not end the command.
func (a *add) warn(err error) {
	a.UI.Warn(err.Error())
	if _, hint := verb.Judge(err); hint != "" && !a.Global.Quiet {
		a.UI.Say(a.UI.Err.Notice("hint:"), a.Subject.InNames(hint))
	}
}

// read asks the issuer what it is, as the profile's client will.
func (a *add) read(ctx context.Context) (*openid.Metadata, error) {
	o := a.Asking(client.Options{CAFile: a.caFile})
	transport, err := a.local.Transport(ctx, o)
	if err != nil {
		return nil, err
	}
	provider, err := a.service.Named(a.values).New(a.withExamples(a.values), &oauth.Client{
		HTTP: &http.Client{Transport: transport}, Now: a.Now, UserAgent: o.UserAgent,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.local.Timeout(nil))
	defer cancel()
	return provider.Metadata(ctx)
}

// met says what was found, and has only that asked for.
func (a *add) met(m *openid.Metadata) {
	var has []string
	for _, e := range []struct{ name, means string }{
		{"authorization_endpoint", "login"},
		{"device_authorization_endpoint", "login on any device"},
		{"userinfo_endpoint", "userinfo"},
		{"revocation_endpoint", "token revoke"},
		{"introspection_endpoint", "token introspect"},
		{"end_session_endpoint", "signout"},
	} {
		if m.Endpoints[e.name] != nil {
			has = append(has, e.means)
		}
	}
	a.UI.Note("found " + m.Document + "; beside tokens it has " + orNothing(has))
	a.service, a.found = a.service.Offered(m), m
	for _, d := range a.service.Settings() {
		if d.Name != "grant" && d.Name != "client_auth" {
			continue
		}
		a.UI.Note(d.Name + ": " + strings.Join(d.Values, ", "))
		v, _ := a.values.Lookup(d.Name)
		sole := a.values.SoleMethods()
		switch {
		case d.Name == "client_auth" && v.Origin == "" && sole != nil:
			if method := a.method(a.values, ""); method != "" && !slices.Contains(d.Values, method) {
				a.UI.Warn("the issuer does not list client_auth " + method)
			}
		case v.Origin == "" && len(d.Values) == 1:
			a.values, a.own[d.Name] = a.values.With(d.Name, setting.Value{Text: d.Values[0], Origin: "the issuer"}), true
		case v.Origin == "":
			a.values = a.values.With(d.Name, setting.Value{Text: d.Default})
		case !slices.Contains(d.Values, v.Text):
			a.UI.Warn("the issuer does not list " + d.Name + " " + v.Text)
		}
	}
}

func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// asked returns the settings in the order in which a person is asked: of a service that only its
// profile describes the grant comes first, because what else is needed follows from it.
func (a *add) asked() []setting.Setting {
	all := slices.Clone(a.service.Settings())
	if a.service.Given == nil {
		return all
	}
	order := func(d setting.Setting) int {
		return slices.Index([]string{"issuer", "client_id", "grant", "client_auth"}, d.Name) + 1
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(d setting.Setting) bool { return order(d) > 0 })
	first := slices.DeleteFunc(all, func(d setting.Setting) bool { return order(d) == 0 })
	slices.SortFunc(first, func(x, y setting.Setting) int { return order(x) - order(y) })
	return append(first, rest...)
}

// needed returns a setting of a service that only its profile describes as it is needed by what was
// answered so far: the endpoints of a service without an issuer, and what the client authenticates
// with.
func (a *add) needed(values setting.Values, d setting.Setting) setting.Setting {
	if a.service.Given == nil {
		return d
	}
	grant := oauth.Grant(values.Text("grant"))
	method := a.method(values, grant)
	begins := map[string]oauth.Grant{"authorize_url": oauth.AuthorizationCode, "device_url": oauth.DeviceCode}
	switch credential := setting.IsCredential(d.Name); {
	case d.Name == "issuer" || d.Name == "token_url":
		d.Required = (d.Name == "token_url") == a.endpoints
	case begins[d.Name] != "":
		d.Required = a.endpoints && begins[d.Name] == grant
	case d.Name == "client_auth":
		d.Asked, d.Default, d.Required = len(values.SoleMethods()) != 1, method, method == ""
	case d.Name == "grant":
		d.Required = d.Default == ""
	case credential && grant == oauth.JWTBearer && d.Name == "private_key":
		d.Required = true
	case credential:
		d.Required, d.Unless = setting.Authenticates(d.Name, method), nil
	case usualOf(grant, d.Name):
		d.Asked = true
	case d.Name == "key_id", d.Name == "tls_key":
		d.Asked = d.If != nil && setting.Authenticates(d.If.Setting, method)
	case d.Name == "scopes" && a.found != nil && len(a.found.ScopesSupported) > 0:
		d.Help += ", of which it lists " + strings.Join(a.found.ScopesSupported[:min(len(a.found.ScopesSupported), 10)], " ")
	}
	return d
}

// usualOf reports whether a setting that need not be there usually is, where the grant is that one:
// most services want to know whom an assertion is for and which key it is signed with, which API a
// token is exchanged for, and where a login comes back to.
func usualOf(grant oauth.Grant, name string) bool {
	switch grant {
	case oauth.JWTBearer:
		return name == "subject" || name == "key_id"
	case oauth.TokenExchange:
		return name == "audience"
	case oauth.AuthorizationCode:
		return name == "redirect_port"
	}
	return false
}

// method is how the client authenticates by what was answered so far, or does when nothing is: by
// the one credential there is, else with a secret where it can, and not at all where the grant is a
// person's or an assertion's. It is empty where a person has to choose.
func (a *add) method(values setting.Values, grant oauth.Grant) string {
	if given := values.Text("client_auth"); given != "" {
		return given
	}
	usual := []string{setting.Basic, setting.Post, setting.SecretJWT}
	switch sole := values.SoleMethods(); {
	case sole != nil:
		usual = sole
	case grant.NeedsPerson(), grant == oauth.JWTBearer:
		return setting.None
	}
	offered := a.offered("client_auth")
	lists := func(method string) bool { return slices.Contains(offered, method) }
	if lists(usual[0]) || values.SoleMethods() != nil && !slices.ContainsFunc(usual, lists) {
		return usual[0]
	}
	return ""
}

// offered are the values of a setting that may be answered.
func (a *add) offered(name string) []string {
	for _, d := range a.service.Settings() {
		if d.Name == name {
			return d.Values
		}
	}
	return nil
}
