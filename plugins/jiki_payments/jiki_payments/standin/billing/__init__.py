"""How Stripe bills: payments, invoices, subscriptions, checkout, and what falls due as time passes."""
